-- Put in front of every script: what several of them need.

-- Whether this server is the one that a partition's owner opened it on: a restart, a promotion,
-- an empty or an older server all change master_replid, and a failover there and back changes it
-- twice.
local function is_here(replid)
  return replid and
    string.find(redis.call('INFO', 'replication'), 'master_replid:' .. replid .. '\r', 1, true)
end

-- The epoch of an open partition, or nil. A partition is open while the server that runs this
-- script is the one its owner opened it on.
local function open_epoch(partition)
  local record = redis.call('HMGET', partition, 'epoch', 'replid')
  return record[1] and is_here(record[2]) and record[1] or nil
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

-- The eight of them; nothing when the room is not held.
local function state_of(record)
  local state = redis.call('HGET', record, 'state')
  if state then return struct.unpack(STATE, state) end
end

-- The field and the value to write.
local function state_field(id, epoch, head, given, last, active, woke, deleted)
  return 'state', struct.pack(STATE, id, epoch, head, given, last, active, woke, deleted)
end

-- An envelope (see shared/model/events.py) is an array of seven, six numbers and the body. The
-- head is all but the body, each number but the version in the nine bytes of a uint 64.
local HEAD = '>BBBI8BI8BI8BI8BI8'

local function head_of(room_id, id, seq, prev, created_at)
  return struct.pack(HEAD, 151, 1, 207, room_id, 207, id, 207, seq, 207, prev, 207, created_at)
end

local function envelope(room_id, id, seq, prev, created_at, body)
  return head_of(room_id, id, seq, prev, created_at) .. body
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
