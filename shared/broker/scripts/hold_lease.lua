-- Take a lease that is free, renew one that the caller has, or give it back.
--
-- KEYS[1]  the partition's lease
-- ARGV[1]  the caller's incarnation ARGV[2]  how long to hold it, ms; 0 gives it back
--
-- Returns 1 if the caller has the lease after the call, else 0.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  -- After the server's clock was set back by an hour, a lease would last an hour longer than its
  -- holder asked for. Shorten it to what this caller asks for, which is the same LEASE_SECONDS.
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) and ARGV[2] ~= '0' then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
