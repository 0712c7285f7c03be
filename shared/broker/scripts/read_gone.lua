-- Read which messages of a range of a room's seqs were deleted one by one, as far as the broker
-- still has to say so: a deletion stays until SQL has it and the log has its message no more.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  'forward' (lowest first) or 'backward' (highest first)
-- ARGV[2]  lowest seq of the range  ARGV[3]  highest seq of the range
-- ARGV[4]  maximum of seqs          ARGV[5]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held, else
-- {id, [seq of a deleted message, ...]}.

local epoch = open_epoch(KEYS[1], ARGV[5])
if not epoch then return false end
local id, held_in = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {} end
if ARGV[1] == 'forward' then
  return {int(id), redis.call('ZRANGEBYSCORE', KEYS[4], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])}
end
return {int(id), redis.call('ZREVRANGEBYSCORE', KEYS[4], ARGV[3], ARGV[2], 'LIMIT', 0, ARGV[4])}
