-- Hold places for a gateway's guests of one address, as far as the address has any left.
--
-- KEYS[1]  hash: the incarnation of the gateway that holds a place, by guest
-- ARGV[1]  the gateway's incarnation
-- ARGV[2]  how long the places are kept unless one of them is held again, ms
-- ARGV[3]  how many guests the address may be; 0 if these are all guests of this gateway there:
--          none is refused, and places that it holds for others are free
-- ARGV[4]  1 if a gateway that is not among the running ones has ended, and its places are free
-- ARGV[5]  the number of running gateways   ARGV[6..] their incarnations, then the guests
--
-- Returns the number of guests that have a place now.
--
-- A guest that recovers its session through another gateway is counted once: its place passes to
-- that gateway, and the first one neither renews it nor gives it back.

local me, max, running, holders, taken, held = ARGV[1], tonumber(ARGV[3]), {}, {}, 0, 0
local first_guest, named = 6 + tonumber(ARGV[5]), {}
for i = 6, first_guest - 1 do running[ARGV[i]] = true end
for i = first_guest, #ARGV do named[ARGV[i]] = true end
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  local is_left = max == 0 and found[i + 1] == me and not named[found[i]]
  if is_left or (ARGV[4] == '1' and not running[found[i + 1]]) then
    redis.call('HDEL', KEYS[1], found[i])
  else
    holders[found[i]], taken = found[i + 1], taken + 1
  end
end
for i = first_guest, #ARGV do
  local guest = ARGV[i]
  local holder = holders[guest]
  if holder or max == 0 or taken < max then
    held = held + 1
    if not holder then taken = taken + 1 end
    if not holder or max > 0 then redis.call('HSET', KEYS[1], guest, me) end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return held
