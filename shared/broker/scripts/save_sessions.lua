-- Keep sessions of one partition as their gateways see them, or forget them.
--
-- KEYS[n]  a session's record, a hash: format, owner, data, at
-- ARGV[1]  the format of the data
-- ARGV[2..] for each session three: its owner, how long to keep it in ms, its data
--          (empty: forget it)
--
-- Returns for each session 1, or 0 when another owner has taken it over: then nothing was done.

local at, answer = now_ms(), {}
for n, key in ipairs(KEYS) do
  local owner, keep, data = ARGV[3 * n - 1], ARGV[3 * n], ARGV[3 * n + 1]
  local current = redis.call('HGET', key, 'owner')
  if current and current ~= owner then
    answer[n] = 0
  else
    answer[n] = 1
    if data == '' then
      redis.call('DEL', key)
    else
      redis.call('HSET', key, 'format', ARGV[1], 'owner', owner, 'data', data, 'at', int(at))
      redis.call('PEXPIRE', key, keep)
    end
  end
end
return answer
