-- Read a room's record.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- ARGV[1]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, else {epoch, generation, state, idle, fields}. State is
--   held     fields are all of the record, name and value in turn, with id and head in place of
--            its state; idle is the milliseconds since its last event
--   deleted  the room was deleted, which SQL may not have yet
--   absent   the broker does not hold the room in this epoch: if it exists, all of it is in SQL

local epoch = open_epoch(KEYS[1], ARGV[1])
if not epoch then return false end
local generation = redis.call('HGET', KEYS[1], 'generation')
local id, held_in, head, _, _, active, _, deleted = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {epoch, generation, 'absent', 0, {}} end
if deleted == 1 then return {epoch, generation, 'deleted', 0, {}} end
local record, fields = redis.call('HGETALL', KEYS[2]), {'id', int(id), 'head', int(head)}
for i = 1, #record, 2 do
  if record[i] ~= 'state' and record[i] ~= 'format' then
    fields[#fields + 1] = record[i]
    fields[#fields + 1] = record[i + 1]
  end
end
return {epoch, generation, 'held', int(math.abs(now_ms() - active)), fields}
