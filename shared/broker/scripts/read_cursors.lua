-- Read the cursors of a room that moved since the broker holds it.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record   KEYS[3]  its cursors
-- ARGV[1]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, else {epoch, {user, seq, ...}}. There are none when the
-- room is not held in this epoch: cursors left by an earlier epoch may be behind those in SQL.

local epoch = open_epoch(KEYS[1], ARGV[1])
if not epoch then return false end
local _, held_in = state_of(KEYS[2])
return {epoch, held_in == tonumber(epoch) and redis.call('HGETALL', KEYS[3]) or {}}
