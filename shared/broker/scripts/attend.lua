-- Set how many connections of users a gateway has, in the cluster and in rooms of one partition, and
-- publish a notice where a user has come or gone.
--
-- KEYS[1]  hash: the connections of each attendee, of all gateways together
-- KEYS[2]  hash: the connections of each attendee, of this gateway
-- KEYS[3]  set: the gateways that have attendees in this partition
-- KEYS[4..] a channel for each change
-- ARGV[1]  the gateway's incarnation
-- ARGV[2..] four for each change: the attendee; how many connections the gateway has of it; a signal
--          to publish if these are the first in the cluster; one to publish if they were the last.
--          An empty signal is not published.
--
-- Returns for each change 1 if the attendee has come, -1 if it has gone, else 0.
--
-- The numbers are absolute, so a call may be repeated. That notices are published here keeps them in
-- order. Example: Ann's last connection ends on gateway A, and at the same time she connects to
-- gateway B. If each gateway published by itself, "ann disconnected" could come behind "ann
-- connected", and everyone would show her as gone.

local answer = {}
for n = 1, #KEYS - 3 do
  local attendee, count = ARGV[4 * n - 2], tonumber(ARGV[4 * n - 1])
  local before = tonumber(redis.call('HGET', KEYS[2], attendee) or 0)
  local total = tonumber(redis.call('HGET', KEYS[1], attendee) or 0)
  local after = total + count - before
  if count ~= before then
    if count > 0 then
      redis.call('HSET', KEYS[2], attendee, int(count))
    else
      redis.call('HDEL', KEYS[2], attendee)
    end
    if after > 0 then
      redis.call('HSET', KEYS[1], attendee, int(after))
    else
      redis.call('HDEL', KEYS[1], attendee)
    end
  end
  answer[n] = (total <= 0 and after > 0 and 1) or (total > 0 and after <= 0 and -1) or 0
  local signal = (answer[n] == 1 and ARGV[4 * n]) or (answer[n] == -1 and ARGV[4 * n + 1]) or ''
  if signal ~= '' then
    redis.call('SPUBLISH', KEYS[3 + n], signal)
  end
end
redis.call(redis.call('EXISTS', KEYS[2]) == 1 and 'SADD' or 'SREM', KEYS[3], ARGV[1])
return answer
