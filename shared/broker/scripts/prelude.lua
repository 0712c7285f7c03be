-- Put in front of every script: what several of them need.

-- The formats that this build reads and writes (shared/model/formats.py fills them in).
local OLDEST_FORMAT, NEWEST_FORMAT = @OLDEST@, @NEWEST@

-- Whether this server is the one that a partition's owner opened it on: a restart, a promotion,
-- an empty or an older server all change master_replid, and a failover there and back changes it
-- twice.
local function is_here(replid)
  return replid and
    string.find(redis.call('INFO', 'replication'), 'master_replid:' .. replid .. '\r', 1, true)
end

-- The master_replid of this server.
local function replid_here()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- Whether a partition with this epoch, replid and format is open for a caller that has seen the
-- epoch `floor`. It is open while the server that runs this script is the one its owner opened it
-- on. A server with an epoch below the floor was left behind by a failover: what it has is out of
-- date, and what it would accept would be lost. Of a format that this build does not know it can
-- neither read nor write a word.
local function is_open(epoch, replid, format, floor)
  return epoch and tonumber(epoch) >= tonumber(floor) and format and
    tonumber(format) >= OLDEST_FORMAT and tonumber(format) <= NEWEST_FORMAT and is_here(replid)
end

-- The epoch of an open partition, as text, and its format; nil of one that is not.
local function open_epoch(partition, floor)
  local record = redis.call('HMGET', partition, 'epoch', 'replid', 'format')
  if is_open(record[1], record[2], record[3], floor) then return record[1], tonumber(record[3]) end
end

-- The counter and the id of the next entry of a partition's stream; nil when the backlog is full.
local function next_entry(partition, max_backlog)
  local record = redis.call('HMGET', partition, 'counter', 'position', 'number')
  local counter, position = tonumber(record[1]), tonumber(record[2])
  if counter - position >= tonumber(max_backlog) then return end
  return counter + 1, (counter + 1) * 1024 + tonumber(record[3])
end

-- The last id that a stream ever gave, also to an entry that is gone; '0-0' before the first.
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

-- A whole number as text: Lua would write 1e+15 for a large one.
local function int(number)
  return string.format('%.0f', number)
end

-- Where a room stands, in one field of its record, which is read and written at once: id, epoch,
-- head, given, last, active, and 1 or 0 for woke and for deleted. As long as it may be for a record
-- that the server keeps compact.
local STATE = '<dddddddd'

-- The eight of them; nothing when the room is not held. One of another length was left by another
-- format, and so by another epoch.
local function state_of(record)
  local state = redis.call('HGET', record, 'state')
  if state and #state == 64 then return struct.unpack(STATE, state) end
end

-- The field and the value to write.
local function state_field(id, epoch, head, given, last, active, woke, deleted)
  return 'state', struct.pack(STATE, id, epoch, head, given, last, active, woke, deleted)
end

-- An envelope (see shared/model/events.py) is an array of seven, six numbers and the body. The
-- head is all but the body: its format, then each number in the nine bytes of a uint 64.
local HEAD = '>BBBI8BI8BI8BI8BI8'

local function head_of(format, room_id, id, seq, prev, created_at)
  return struct.pack(HEAD, 151, format, 207, room_id, 207, id, 207, seq, 207, prev, 207, created_at)
end

-- The id, seq and created_at of a head.
local function read_head(head)
  local _, id, seq, at
  _, _, _, _, _, id, _, seq, _, _, _, at = struct.unpack(HEAD, head)
  return id, seq, at
end

local function envelope(format, room_id, id, seq, prev, created_at, body)
  return head_of(format, room_id, id, seq, prev, created_at) .. body
end

-- Append a row to a partition's stream: of each event its envelope and its room's record, in turn
-- (shared/broker/partitions/rows.py reads it).
local function add_row(stream, counter, format, ...)
  redis.call('XADD', stream, counter, 'format', format, ...)
end

-- Tell every gateway that a quiet chat has news, and remember it for those who did not hear.
local function wake(control, wakes, counter, event)
  redis.call('XADD', wakes, 'MAXLEN', 10000, counter, 'e', event)
  redis.call('SPUBLISH', control, event)
end

-- How cursors of a direct chat moved: user, since, seq, at, one after the other.
local function words_of_moves(stream)
  local words = {}
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    for i = 2, 8, 2 do words[#words + 1] = entry[2][i] end
  end
  return words
end
