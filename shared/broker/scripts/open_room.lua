-- Open a room that SQL has, after it was evicted or in a new epoch. Compare-and-set.
--
-- KEYS[1]  the partition's record   KEYS[2]  the held rooms
-- KEYS[3]  the room's record        KEYS[4..7] its log, gone, cursors, moves
-- KEYS[8..] for a direct chat, the set of held chats of each of its users
-- ARGV[1], ARGV[2]  the epoch and the generation at which the broker did not hold the room, read
--          before SQL was read
-- ARGV[3]  key    ARGV[4] id       ARGV[5] kind     ARGV[6] name    ARGV[7] password hash
-- ARGV[8]  creator    ARGV[9] user1    ARGV[10] user2    ARGV[11] created_at
-- ARGV[12] head: its last seq in SQL   ARGV[13] given: no seq up to this one is given again
-- ARGV[14] floor                       ARGV[15] the time of its last event, ms since 1970
-- ARGV[16] the latest epoch that the gateway has seen
-- ARGV[17..] the other fields of its record, name and value in turn
--
-- Returns nil when the partition is closed, else 'open', or 'stale' when the epoch or generation
-- changed meanwhile: then SQL's answer may be out of date. Example: gateway A reads head 40 from
-- SQL; gateway B opens the room, sends 41 to 45, and the room is stored and evicted. If A's call
-- opened it with head 40, the next message would get seq 41 a second time.
--
-- The old log is deleted. In a new epoch it may hold events that the server from which SQL was
-- filled never had: they were not stored, and their seqs must not be delivered.

local epoch, format = open_epoch(KEYS[1], ARGV[16])
if not epoch then return false end
local _, held_in = state_of(KEYS[3])
if held_in == tonumber(epoch) then return 'open' end
if epoch ~= ARGV[1] or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 'stale' end
for i = 3, 7 do redis.call('DEL', KEYS[i]) end
redis.call('HSET', KEYS[3], 'format', format, 'floor', ARGV[14], 'key', ARGV[3],
  'kind', ARGV[5], 'name', ARGV[6], 'password', ARGV[7], 'creator', ARGV[8],
  'user1', ARGV[9], 'user2', ARGV[10],
  'created', ARGV[11],
  state_field(tonumber(ARGV[4]), tonumber(epoch), tonumber(ARGV[12]), tonumber(ARGV[13]), 0,
    tonumber(ARGV[15]), 0, 0))
for i = 17, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
-- The room counts as active from now on, however old its last event is.
redis.call('ZADD', KEYS[2], int(now_ms()), ARGV[3])
for i = 8, #KEYS do redis.call('SADD', KEYS[i], ARGV[3]) end
return 'open'
