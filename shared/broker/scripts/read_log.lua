-- Read a part of a room's log together with where the room stands.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record   KEYS[3]  the room's log
-- ARGV[1]  'forward' (oldest first) or 'backward' (newest first)
-- ARGV[2]  lowest seq wanted        ARGV[3]  highest seq wanted, or '+'
-- ARGV[4]  entries at the most
--
-- Returns nil when the partition is closed, {} when the room is not held, else
-- {epoch, id, head, floor, [envelope, ...]}.

local epoch = open_epoch(KEYS[1])
if not epoch then return false end
local room = redis.call('HMGET', KEYS[2], 'epoch', 'id', 'head', 'floor')
if room[1] ~= epoch then return {} end
local entries
if ARGV[1] == 'forward' then
  entries = redis.call('XRANGE', KEYS[3], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
else
  entries = redis.call('XREVRANGE', KEYS[3], ARGV[3], ARGV[2], 'COUNT', ARGV[4])
end
local events = {}
for i, entry in ipairs(entries) do events[i] = entry[2][2] end
return {epoch, room[2], room[3], room[4], events}
