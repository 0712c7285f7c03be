-- Take a lease that is free or already ours, or give back one that is ours.
--
-- KEYS[1]  the partition's lease
-- ARGV[1]  who asks                 ARGV[2]  for how long, ms; 0 gives it back
--
-- Returns 1 while the asker holds it after the call, else 0.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  -- A clock that was set back lets a lease end much later than its holder asked for.
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
