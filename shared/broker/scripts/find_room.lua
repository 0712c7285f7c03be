-- Read a room's record.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
--
-- Returns nil when the partition is closed, else {epoch, generation, fields}. Fields are
-- id, kind, name, password, creator, created, head, floor; empty where the room is not held in
-- this epoch: then everything of it is in SQL, at this epoch and generation.

local epoch = open_epoch(KEYS[1])
if not epoch then return false end
local generation = redis.call('HGET', KEYS[1], 'generation')
if redis.call('HGET', KEYS[2], 'epoch') ~= epoch then return {epoch, generation, {}} end
return {epoch, generation, redis.call('HMGET', KEYS[2],
  'id', 'kind', 'name', 'password', 'creator', 'created', 'head', 'floor')}
