-- Find the spelling under which a user is known, or make this one it.
--
-- KEYS[1]  hash: the spelling, by the form of the name
-- KEYS[2]  sorted set: the forms, by the time at which they were last asked for, ms since 1970
-- ARGV[1]  the form   ARGV[2]  the spelling   ARGV[3]  the number of forms to remember
--
-- Returns the spelling that was there first.

redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], int(now_ms()), ARGV[1])
local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
if excess > 0 then
  for _, form in ipairs(redis.call('ZRANGE', KEYS[2], 0, excess - 1)) do
    redis.call('HDEL', KEYS[1], form)
  end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, excess - 1)
end
return redis.call('HGET', KEYS[1], ARGV[1])
