-- Note that users have connected, and forget those who connected longest ago.
--
-- KEYS[1]  sorted set: users, by the time of their last connection, ms since 1970
-- ARGV[1]  the number of users to remember   ARGV[2..] the names of the users
--
-- Returns the number of users that are remembered.

local now = now_ms()
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], int(now), ARGV[i]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -(tonumber(ARGV[1]) + 1))
return redis.call('ZCARD', KEYS[1])
