-- Record that SQL has everything up to a position, publish that, and trim what SQL has.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  rooms created and not yet in SQL
-- KEYS[4]  the control channel, on which gateways receive the position
-- KEYS[5..] five for each room the batches touched: its record, log, gone, cursors, moves
-- ARGV[1]  the owner's epoch        ARGV[2]  the position: the last entry committed
-- ARGV[3]  LOG_LENGTH
-- ARGV[4..] two for each of those rooms: its id (since then another room may have got its key),
--          and its last committed seq
-- ARGV[..]  the keys of rooms whose creation was committed
--
-- Returns nil when the record is of another epoch, else 1. A log is cut to LOG_LENGTH entries, but
-- an entry that is not committed is never removed: with LOG_LENGTH 1000, head 5000 and 3500
-- committed, the log keeps 3501..5000, which are 1500 entries. Deletions (gone) and cursor moves
-- stay until they are committed and the log no longer holds a message that they are about.

local partition = redis.call('HMGET', KEYS[1], 'epoch', 'position', 'format', 'number')
if partition[1] ~= ARGV[1] then return false end
-- Calls may overtake each other after an outage: the position must not go back, or a gateway would
-- report fewer messages as durable than it did before.
local position = math.max(tonumber(partition[2]), tonumber(ARGV[2]))
if tonumber(partition[2]) < position then redis.call('HSET', KEYS[1], 'position', ARGV[2]) end
redis.call('XTRIM', KEYS[2], 'MINID', int(tonumber(ARGV[2]) + 1) .. '-0')
redis.call('SPUBLISH', KEYS[4], envelope(tonumber(partition[3]), 0, 0, 0, 0, 0,
  cmsgpack.pack({'committed', tonumber(partition[4]), tonumber(ARGV[1]), position})))
local length, rooms = tonumber(ARGV[3]), (#KEYS - 4) / 5
for i = 1, rooms do
  local key, id, committed = 5 * i, ARGV[2 + 2 * i], tonumber(ARGV[3 + 2 * i])
  local record, log, gone, moves = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 4]
  local held_as, _, head, _, last = state_of(record)
  local is_it = held_as == tonumber(id)
  local excess = is_it and redis.call('XLEN', log) - length or 0
  if excess > 0 and head - committed <= length then
    -- The last LOG_LENGTH entries include everything that is not committed: no need to read them.
    redis.call('XTRIM', log, 'MAXLEN', length)
  elseif excess > 0 then
    local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', excess)
    local seq = tonumber(string.match(oldest[#oldest][1], '%d+'))
    redis.call('XTRIM', log, 'MINID', int(math.min(seq, committed) + 1) .. '-0')
  end
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local lowest = first and tonumber(string.match(first[1], '%d+')) or committed + 1
  if is_it and last <= position then
    redis.call('ZREMRANGEBYSCORE', gone, '-inf', '(' .. int(lowest))
  end
  for _, move in ipairs(redis.call('XRANGE', moves, '-', int(position) .. '-0', 'COUNT', 100)) do
    if not is_it or tonumber(move[2][6]) >= lowest then break end
    redis.call('XDEL', moves, move[1])
  end
end
for i = 4 + 2 * rooms, #ARGV do redis.call('ZREM', KEYS[3], ARGV[i]) end
return 1
