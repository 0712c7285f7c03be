-- Save or delete Socket.IO sessions of one partition.
--
-- KEYS[n]  a session's record, a hash: format, owner, data, at
-- ARGV[1]  the format of the data
-- ARGV[2..] three for each session: its owner, how long to keep it in ms, its data
--          (empty: delete it)
--
-- Returns 1 for each session, or 0 if another owner has taken it over: then nothing was done.
-- Example: a client recovers on gateway B while gateway A, which was paused, still has its old
-- connection. Without the owner, A's next save would overwrite what B has saved since: rooms that
-- the client joined on B would be missing after its next recovery.

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
