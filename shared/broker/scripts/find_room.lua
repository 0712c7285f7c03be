-- Read a room's record.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
--
-- Returns nil when the partition is closed, else {epoch, generation, state, fields}. State is
--   held     fields are id, kind, name, password, creator, created, head, floor, user1, user2,
--            and the milliseconds since its last event
--   deleted  there is no such room, though SQL may not know yet
--   absent   it is not held in this epoch: what there is of it is in SQL, at this generation

local epoch = open_epoch(KEYS[1])
if not epoch then return false end
local generation = redis.call('HGET', KEYS[1], 'generation')
local id, held_in, head, _, _, active, _, deleted = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {epoch, generation, 'absent', {}} end
if deleted == 1 then return {epoch, generation, 'deleted', {}} end
local fields = redis.call('HMGET', KEYS[2], 'id', 'kind', 'name', 'password', 'creator', 'created',
  'head', 'floor', 'user1', 'user2')
fields[1], fields[7] = int(id), int(head)
fields[11] = int(math.abs(now_ms() - active))
return {epoch, generation, 'held', fields}
