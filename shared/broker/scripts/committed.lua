-- SQL has everything up to a position: say so, and let go of what need not be kept.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  rooms created and not yet in SQL
-- KEYS[4..] the log of each room the batch touched
-- ARGV[1]  the owner's epoch        ARGV[2]  the position: the last entry committed
-- ARGV[3]  LOG_LENGTH
-- ARGV[4..] the last committed seq of each of those rooms
-- ARGV[..]  the keys of rooms whose creation was committed
--
-- Returns nil when the record is of another epoch, else 1. A log is cut to LOG_LENGTH entries,
-- never above what is committed.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return false end
if tonumber(redis.call('HGET', KEYS[1], 'position')) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'position', ARGV[2])
end
redis.call('XTRIM', KEYS[2], 'MINID', int(tonumber(ARGV[2]) + 1) .. '-0')
local length, logs = tonumber(ARGV[3]), #KEYS - 3
for i = 1, logs do
  local log, committed = KEYS[3 + i], tonumber(ARGV[3 + i])
  local excess = redis.call('XLEN', log) - length
  if excess > 0 then
    local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', excess)
    local seq = tonumber(string.match(oldest[#oldest][1], '%d+'))
    redis.call('XTRIM', log, 'MINID', int(math.min(seq, committed) + 1) .. '-0')
  end
end
for i = 4 + logs, #ARGV do redis.call('ZREM', KEYS[3], ARGV[i]) end
return 1
