-- Put in front of every script: what several of them need.

-- The epoch of an open partition, or nil. A partition is open while the server that runs this
-- script is the one its owner opened it on: a restart, a promotion, an empty or an older server
-- all change master_replid, and a failover there and back changes it twice.
local function open_epoch(partition)
  local record = redis.call('HMGET', partition, 'epoch', 'replid')
  if not record[1] then return nil end
  local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  if replid ~= record[2] then return nil end
  return record[1]
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

-- The envelope (see shared/model/events.py): an array of seven, six numbers and the body.
local function envelope(room_id, id, seq, prev, created_at, body)
  return '\151' .. cmsgpack.pack(1, room_id, id, seq, prev, created_at) .. body
end

-- Tell every gateway that a quiet chat has news, and remember it for those who did not hear.
local function wake(control, wakes, counter, event)
  redis.call('XADD', wakes, 'MAXLEN', 10000, int(counter) .. '-0', 'e', event)
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
