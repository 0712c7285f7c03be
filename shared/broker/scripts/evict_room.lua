-- Let a room leave the broker when it has been quiet for long and SQL has all of it.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record   KEYS[3]  the room's log
-- KEYS[4]  rooms held here
-- ARGV[1]  the room's key           ARGV[2]  ROOM_IDLE, ms
--
-- Returns 1 when it left, else 0. The generation moves on, so that nobody who read SQL before
-- opens the room again with what it said then.

local room = redis.call('HMGET', KEYS[2], 'active', 'last', 'epoch')
local record = redis.call('HMGET', KEYS[1], 'position', 'epoch')
if room[1] and room[3] == record[2] then
  local quiet = now_ms() - tonumber(room[1]) >= tonumber(ARGV[2])
  if not quiet or tonumber(room[2]) > tonumber(record[1]) then
    redis.call('ZADD', KEYS[4], room[1], ARGV[1])
    return 0
  end
end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('HINCRBY', KEYS[1], 'generation', 1)
return 1
