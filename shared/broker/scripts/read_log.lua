-- Read a part of a room's log, oldest first, together with the room's head and floor.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  lowest seq wanted        ARGV[2]  maximum of entries
-- ARGV[3]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held, else
-- {epoch, id, head, floor, [envelope, ...], [seq of a deleted message, ...], 1 or 0}.
-- The seqs are those from the lowest seq wanted to the last entry, or to the end of the log where
-- there are not as many entries as asked for. Below the first entry they may be too many: then they
-- end with the ARGV[2]th, none follows, and the last value is 0.

local epoch = open_epoch(KEYS[1], ARGV[3])
if not epoch then return false end
local id, held_in, head = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {} end
local entries = redis.call('XRANGE', KEYS[3], ARGV[1], '+', 'COUNT', ARGV[2])
local events = {}
for i, entry in ipairs(entries) do events[i] = entry[2][2] end
local first, last = entries[1], entries[#entries]
local gone = redis.call('ZRANGEBYSCORE', KEYS[4], ARGV[1],
  first and '(' .. string.match(first[1], '^%d+') or '+inf', 'LIMIT', 0, ARGV[2])
local all = #gone < tonumber(ARGV[2])
if all and first then
  local among = redis.call('ZRANGEBYSCORE', KEYS[4],
    string.match(first[1], '^%d+'), string.match(last[1], '^%d+'))
  for _, seq in ipairs(among) do gone[#gone + 1] = seq end
end
return {epoch, int(id), int(head), redis.call('HGET', KEYS[2], 'floor'), events, gone,
  all and 1 or 0}
