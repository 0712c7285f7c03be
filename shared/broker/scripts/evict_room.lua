-- Remove a room from the broker when it has been idle for long and SQL has all of it.
--
-- KEYS[1]  the partition's record   KEYS[2]  the held rooms
-- KEYS[3]  the room's record        KEYS[4..7] its log, gone, cursors, moves
-- KEYS[8..] for a direct chat, the set of held chats of each of its users
-- ARGV[1]  the room's key           ARGV[2]  ROOM_IDLE, ms
--
-- Returns 1 if it was removed, else 0. Removing raises the generation, so that a gateway cannot
-- open the room with what it read from SQL before (see open_room.lua).

local _, epoch, _, _, last, active = state_of(KEYS[3])
local record = redis.call('HMGET', KEYS[1], 'position', 'epoch')
if active and epoch == tonumber(record[2]) then
  local now = now_ms()
  -- A room that was opened again and got no event counts as active from when it was opened.
  local since = math.max(active, tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0))
  if math.abs(now - since) < tonumber(ARGV[2]) or last > tonumber(record[1]) then
    redis.call('ZADD', KEYS[2], int(math.min(since, now)), ARGV[1])
    return 0
  end
end
for i = 3, 7 do redis.call('DEL', KEYS[i]) end
redis.call('ZREM', KEYS[2], ARGV[1])
for i = 8, #KEYS do redis.call('SREM', KEYS[i], ARGV[1]) end
redis.call('HINCRBY', KEYS[1], 'generation', 1)
return 1
