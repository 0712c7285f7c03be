-- Hold a room that SQL has: after it was quiet, or in a new epoch. Compare-and-set.
--
-- KEYS[1]  the partition's record   KEYS[2]  rooms held here
-- KEYS[3]  the room's record        KEYS[4..7] its log, gone, cursors, moves
-- KEYS[8..] for a direct chat, the set of held chats of each of its users
-- ARGV[1]  the epoch and
-- ARGV[2]  the generation at which it was seen not to be held, before SQL was read
-- ARGV[3]  key    ARGV[4] id       ARGV[5] kind     ARGV[6] name    ARGV[7] password hash
-- ARGV[8]  creator    ARGV[9] user1    ARGV[10] user2    ARGV[11] created_at
-- ARGV[12] head: its last seq in SQL   ARGV[13] given: no seq up to this one is given again
-- ARGV[14] floor                       ARGV[15] when its last event was, ms since 1970
-- ARGV[16] the latest epoch that the gateway has seen
-- ARGV[17..] what else its record holds, name and value in turn
--
-- Returns nil when the partition is closed, else 'open', or 'stale' when epoch or generation
-- moved on meanwhile: then what SQL said may be out of date. The old log goes: in a new epoch it
-- may hold what was lost on the server that SQL was fed from.

local epoch, format = open_epoch(KEYS[1], ARGV[16])
if not epoch then return false end
local _, held_in = state_of(KEYS[3])
if held_in == tonumber(epoch) then return 'open' end
if epoch ~= ARGV[1] or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 'stale' end
for i = 3, 7 do redis.call('DEL', KEYS[i]) end
redis.call('HSET', KEYS[3], 'format', format, 'floor', ARGV[14], 'key', ARGV[3], 'kind', ARGV[5], 'name', ARGV[6],
  'password', ARGV[7], 'creator', ARGV[8], 'user1', ARGV[9], 'user2', ARGV[10],
  'created', ARGV[11],
  state_field(tonumber(ARGV[4]), tonumber(epoch), tonumber(ARGV[12]), tonumber(ARGV[13]), 0,
    tonumber(ARGV[15]), 0, 0))
for i = 17, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
-- It is held from now on, however long ago its last event was.
redis.call('ZADD', KEYS[2], int(now_ms()), ARGV[3])
for i = 8, #KEYS do redis.call('SADD', KEYS[i], ARGV[3]) end
return 'open'
