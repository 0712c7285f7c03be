-- Ban the address of a guest from a room for a while.
--
-- KEYS[1]  sorted set: the guests for whom the address is banned from the room, by the end of each
--          ban, ms since 1970
-- ARGV[1]  the guest   ARGV[2] how long from now, ms
--
-- Each ban ends by itself: one for another guest of the address does not prolong it.

local now = now_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now))
redis.call('ZADD', KEYS[1], int(now + tonumber(ARGV[2])), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], int(tonumber(last[2])))
