-- Read a part of a room's log together with the room's head and floor.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  'forward' (oldest first) or 'backward' (newest first)
-- ARGV[2]  lowest seq wanted        ARGV[3]  highest seq wanted, or '+'
-- ARGV[4]  maximum of entries       ARGV[5]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held, else
-- {epoch, id, head, floor, [envelope, ...], [seq of a deleted message, ...],
--  [user, since, seq, at, ...]}; the last are cursor moves, four values each.

local epoch = open_epoch(KEYS[1], ARGV[5])
if not epoch then return false end
local id, held_in, head = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {} end
local room = redis.call('HMGET', KEYS[2], 'floor', 'kind')
local entries
if ARGV[1] == 'forward' then
  entries = redis.call('XRANGE', KEYS[3], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
else
  entries = redis.call('XREVRANGE', KEYS[3], ARGV[3], ARGV[2], 'COUNT', ARGV[4])
end
local events = {}
for i, entry in ipairs(entries) do events[i] = entry[2][2] end
local moves = room[2] == 'direct' and words_of_moves(KEYS[6]) or {}
return {epoch, int(id), int(head), room[1], events, redis.call('ZRANGE', KEYS[4], 0, -1), moves}
