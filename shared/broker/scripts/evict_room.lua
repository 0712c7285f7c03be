-- Let a room leave the broker when it has been quiet for long and SQL has all of it.
--
-- KEYS[1]  the partition's record   KEYS[2]  rooms held here
-- KEYS[3]  the room's record        KEYS[4..7] its log, gone, cursors, moves
-- KEYS[8..] for a direct chat, the set of held chats of each of its users
-- ARGV[1]  the room's key           ARGV[2]  ROOM_IDLE, ms
--
-- Returns 1 when it left, else 0. The generation moves on, so that nobody who read SQL before
-- opens the room again with what it said then.

local _, epoch, _, _, last, active = state_of(KEYS[3])
local record = redis.call('HMGET', KEYS[1], 'position', 'epoch')
if active and epoch == tonumber(record[2]) then
  local now = now_ms()
  -- A room that was read though nothing happened in it counts from when it was opened.
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
