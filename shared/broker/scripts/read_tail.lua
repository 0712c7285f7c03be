-- Read the tail of a room (events that SQL may not have yet), newest first, and a user's cursor.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  the user                 ARGV[2]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held or deleted, else
-- {id, head, floor, cursor or '', [envelope, ...], [seq of a deleted message, ...],
--  [user, since, seq, at, ...]}; the last are cursor moves, four values each.

local epoch = open_epoch(KEYS[1], ARGV[2])
if not epoch then return false end
local room, held_in, head, _, _, _, _, deleted = state_of(KEYS[2])
if held_in ~= tonumber(epoch) or deleted == 1 then return {} end
local position = tonumber(redis.call('HGET', KEYS[1], 'position'))
local events, below = {}, '+'
while below do
  local entries = redis.call('XREVRANGE', KEYS[3], below, '-', 'COUNT', 100)
  below = nil
  for i, entry in ipairs(entries) do
    local id = read_head(entry[2][2])
    if math.floor(id / 1024) <= position then break end
    events[#events + 1] = entry[2][2]
    if i == 100 then below = '(' .. entry[1] end
  end
end
return {int(room), int(head), redis.call('HGET', KEYS[2], 'floor'),
  redis.call('HGET', KEYS[5], ARGV[1]) or '', events,
  redis.call('ZRANGE', KEYS[4], 0, -1), words_of_moves(KEYS[6])}
