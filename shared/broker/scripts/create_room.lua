-- Create a room whose key neither the broker nor SQL has, and append its creation to the stream.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  the control channel      KEYS[4]  the wake log
-- KEYS[5]  the held rooms           KEYS[6]  rooms created and not yet in SQL
-- KEYS[7]  the room's record        KEYS[8..11] its log, gone, cursors, moves
-- KEYS[12..] for a direct chat, the set of held chats of each of its users
-- ARGV[1], ARGV[2]  the epoch and the generation at which the broker did not hold the room, read
--          before SQL was asked
-- ARGV[3]  MAX_BACKLOG   ARGV[4] key      ARGV[5] kind    ARGV[6] name   ARGV[7] password hash
-- ARGV[8]  creator       ARGV[9] user1    ARGV[10] user2
-- ARGV[11] the encoded body of the creation
-- ARGV[12] the encoded body of the wake for a direct chat, else ''
-- ARGV[13] the latest epoch that the gateway has seen   ARGV[14] the format of the bodies
--
-- Returns nil when the partition is closed, or {status, id, created_at}:
--   created     the room exists now
--   exists      another client created it first
--   stale       the epoch or generation changed: SQL's answer may be out of date, ask it again
--   overloaded  the backlog is full
--
-- Without the generation: gateway A sees that `lobby` is not held, and SQL does not have it either.
-- Gateway B creates `lobby`; it is stored, falls idle and is evicted. Only then A's call arrives:
-- the broker does not hold `lobby`, and A would create a second one. The eviction has raised the
-- generation, so A gets `stale` and finds the room in SQL.

local epoch, format = open_epoch(KEYS[1], ARGV[13])
if not epoch or format ~= tonumber(ARGV[14]) then return false end
local _, held_in, _, _, _, _, _, deleted = state_of(KEYS[7])
if held_in == tonumber(epoch) and deleted == 0 then return {'exists'} end
local generation = redis.call('HGET', KEYS[1], 'generation')
if epoch ~= ARGV[1] or generation ~= ARGV[2] then return {'stale'} end
local counter, id = next_entry(KEYS[1], ARGV[3])
if not counter then return {'overloaded'} end

local created_at = now_ms()
for i = 7, 11 do redis.call('DEL', KEYS[i]) end
redis.call('HSET', KEYS[7], 'format', format, 'floor', 0, 'key', ARGV[4], 'kind', ARGV[5],
  'name', ARGV[6], 'password', ARGV[7], 'creator', ARGV[8], 'user1', ARGV[9], 'user2', ARGV[10],
  'created', int(created_at),
  state_field(id, tonumber(epoch), 0, 0, counter, created_at, 0, 0))
redis.call('ZADD', KEYS[5], int(created_at), ARGV[4])
redis.call('ZADD', KEYS[6], 0, ARGV[4])
for i = 12, #KEYS do redis.call('SADD', KEYS[i], ARGV[4]) end
add_row(KEYS[2], counter, format, envelope(format, id, id, 0, 0, created_at, ARGV[11]), KEYS[7])
redis.call('HSET', KEYS[1], 'counter', int(counter))
if ARGV[12] ~= '' then
  wake(KEYS[3], KEYS[4], counter, envelope(format, id, id, 0, 0, created_at, ARGV[12]))
end
return {'created', id, created_at}
