-- Functions that several scripts need; put in front of every script.

-- The formats that this build reads and writes, filled in from shared/model/formats.py.
local OLDEST_FORMAT, NEWEST_FORMAT = @OLDEST@, @NEWEST@

-- Return true if this server is the one on which the partition was opened. A restart, a promotion,
-- and an empty or older server all have another master_replid.
--
-- run_id would not do. Server A accepts seq 41 to 45, is cut off before it replicates them, and B
-- is promoted with 40. A, which kept running, becomes B's replica and drops 41 to 45. If A is then
-- promoted again, its run_id is still the one on record: the partition would be open, and the next
-- message would get seq 41 a second time. master_replid changes with each promotion.
local function is_here(replid)
  return replid and
    string.find(redis.call('INFO', 'replication'), 'master_replid:' .. replid .. '\r', 1, true)
end

-- The master_replid of this server.
local function replid_here()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- Return true if a partition with this epoch, replid and format is open for a caller that has seen
-- the epoch `min_epoch`. It is open on the server on which its owner opened it. A server with an
-- older epoch was left behind by a failover: its data is out of date, and what it accepted would be
-- lost. Data in a format that this build does not know cannot be read or written.
local function is_open(epoch, replid, format, min_epoch)
  return epoch and tonumber(epoch) >= tonumber(min_epoch) and format and
    tonumber(format) >= OLDEST_FORMAT and tonumber(format) <= NEWEST_FORMAT and is_here(replid)
end

-- The epoch of an open partition, as text, and its format; nil if it is closed.
local function open_epoch(partition, min_epoch)
  local record = redis.call('HMGET', partition, 'epoch', 'replid', 'format')
  if is_open(record[1], record[2], record[3], min_epoch) then
    return record[1], tonumber(record[3])
  end
end

-- The counter and the id of the next entry of a partition's stream; nil when the backlog is full.
local function next_entry(partition, max_backlog)
  local record = redis.call('HMGET', partition, 'counter', 'position', 'number')
  local counter, position = tonumber(record[1]), tonumber(record[2])
  if counter - position >= tonumber(max_backlog) then return end
  return counter + 1, (counter + 1) * 1024 + tonumber(record[3])
end

-- The last id that a stream ever gave, also if that entry was trimmed; '0-0' before the first.
local function last_id(stream)
  if redis.call('EXISTS', stream) == 0 then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

-- Milliseconds since 1970 by the server's clock.
local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- A whole number as text. Lua itself would write a large one as 1e+15.
local function int(number)
  return string.format('%.0f', number)
end

-- The state of a room: eight numbers in one field of its record, read and written together.
--   id       the room's id
--   epoch    the epoch in which the record was written; of another epoch, the room is not held
--   head     the last seq; the next event has it as `prev`
--   given    no seq up to this one is given again, because an earlier epoch may have given it
--   last     the counter of the last entry about the room, in the partition's stream
--   active   when its last event was, ms since 1970
--   woke     1 after the first event since the room is held
--   deleted  1 once the room was deleted
-- The next seq is max(head, given) + 1. Example: SQL has a room up to seq 40, and the broker lost
-- 41 to 45, which clients have seen. In the next epoch head is 40 and given is 1,000,040, far above
-- 45: the next event has seq 1,000,041 and prev 40. With head alone it would be seq 41, which
-- clients have already, and they would drop the new message as a duplicate.
-- 64 bytes are the longest value with which the server stores a small hash in its compact form.
local STATE = '<dddddddd'

-- The eight numbers; nothing when the room is not held. A field of another length was written in
-- another format, and so in another epoch.
local function state_of(record)
  local state = redis.call('HGET', record, 'state')
  if state and #state == 64 then return struct.unpack(STATE, state) end
end

-- The field of a record and its value for a state, as arguments of HSET.
local function state_field(id, epoch, head, given, last, active, woke, deleted)
  return 'state', struct.pack(STATE, id, epoch, head, given, last, active, woke, deleted)
end

-- An envelope (see shared/model/events.py) is a MessagePack array of seven: six numbers and the
-- body. Its head is everything but the body. All heads are equally long, as each number after the
-- format takes the nine bytes of a uint 64.
local HEAD = '>BBBI8BI8BI8BI8BI8'

local function head_of(format, room_id, id, seq, prev, created_at)
  return struct.pack(HEAD, 151, format, 207, room_id, 207, id, 207, seq, 207, prev, 207, created_at)
end

-- The id, seq, created_at and prev of a head.
local function read_head(head)
  local _, id, seq, prev, at
  _, _, _, _, _, id, _, seq, _, prev, _, at = struct.unpack(HEAD, head)
  return id, seq, at, prev
end

-- The place in an envelope where its body begins. No script but this one knows what a head looks
-- like: a newer format has another.
local function body_at(event)
  return 48
end

-- The place in an envelope where the sender of a message begins; nil for an event that is none. The
-- tag of a body begins in its second byte.
local function sender_at(event)
  local tag = body_at(event) + 1
  if string.sub(event, tag, tag + 7) == '\167message' then return tag + 8 end
end

local function envelope(format, room_id, id, seq, prev, created_at, body)
  return head_of(format, room_id, id, seq, prev, created_at) .. body
end

-- Append a row to a partition's stream: the envelope and the record key of each event in turn.
-- `counter` is that of the last event. shared/broker/partitions/rows.py reads rows.
local function add_row(stream, counter, format, ...)
  redis.call('XADD', stream, counter, 'format', format, ...)
end

-- Publish a wake to every gateway, and keep it in the wake log for gateways that miss it.
local function wake(control, wakes, counter, event)
  redis.call('XADD', wakes, 'MAXLEN', 10000, counter, 'e', event)
  redis.call('SPUBLISH', control, event)
end

-- The cursor moves of a direct chat: user, since, seq and at of each, one after the other.
local function words_of_moves(stream)
  local words = {}
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    for i = 2, 8, 2 do words[#words + 1] = entry[2][i] end
  end
  return words
end
