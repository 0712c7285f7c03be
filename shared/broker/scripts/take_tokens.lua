-- Take tokens from one or more buckets, the same number from each; none if one of them is empty.
--
-- A bucket is one number: the time at which it will be full, in microseconds since 1970 by the
-- server's clock. A full bucket has no key. `shared/rates.py` does the same calculation.
--
-- KEYS[n]  a bucket
-- ARGV[1]  the number of tokens to take, at the most; below zero: tokens to give back
-- ARGV[2n] the microseconds in which one token of bucket n comes   ARGV[2n+1] its burst
--
-- Returns {granted, wait}: the number of tokens taken, and if that is 0 the microseconds until
-- every bucket has a token.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local granted, wait, full_at = tonumber(ARGV[1]), 0, {}
for n, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * n]), tonumber(ARGV[2 * n + 1])
  local at = math.max(tonumber(redis.call('GET', key) or 0), now)
  if at > now + burst * interval then
    -- Less than empty: the clock was set back. The bucket counts as empty now, so that users are
    -- not refused for as long as the clock was set back.
    at = now + burst * interval
    redis.call('SET', key, int(at), 'PX', int(math.ceil((at - now) / 1000)))
  end
  local room = now + burst * interval - at
  granted = math.min(granted, math.floor(room / interval))
  if room < interval then wait = math.max(wait, interval - room) end
  full_at[n] = at
end
if granted == 0 then return {0, wait} end
for n, key in ipairs(KEYS) do
  local at = full_at[n] + granted * tonumber(ARGV[2 * n])
  if at > now then
    redis.call('SET', key, int(at), 'PX', int(math.ceil((at - now) / 1000)))
  else
    redis.call('DEL', key)
  end
end
return {granted, 0}
