-- Be counted among the living persisters, and count them. Only how partitions are shared out
-- rests on this, never safety.
--
-- KEYS[1]  the set of members, each with the time it was last here
-- ARGV[1]  who asks   ARGV[2]  ms after which a silent one is dead; 0 leaves
--
-- Returns how many live.

local now = now_ms()
if ARGV[2] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], int(now), ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. int(now - ARGV[2]))
  -- A clock that was set back leaves times in the future: they count as now.
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. int(now), '+inf')
end
return redis.call('ZCARD', KEYS[1])
