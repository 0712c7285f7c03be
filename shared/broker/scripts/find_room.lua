-- Read a room's record.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
--
-- Returns nil when the partition is closed, else {epoch, generation, state, idle, fields}. State is
--   held     fields are all of the record, name and value in turn; idle is the milliseconds since
--            its last event
--   deleted  there is no such room, though SQL may not know yet
--   absent   it is not held in this epoch: what there is of it is in SQL, at this generation

local epoch = open_epoch(KEYS[1])
if not epoch then return false end
local generation = redis.call('HGET', KEYS[1], 'generation')
local state = redis.call('HMGET', KEYS[2], 'epoch', 'deleted', 'active')
if state[1] ~= epoch then return {epoch, generation, 'absent', 0, {}} end
if state[2] then return {epoch, generation, 'deleted', 0, {}} end
local idle = int(math.abs(now_ms() - tonumber(state[3])))
return {epoch, generation, 'held', idle, redis.call('HGETALL', KEYS[2])}
