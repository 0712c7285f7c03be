-- Hold a room that SQL has: after it was quiet, or in a new epoch. Compare-and-set.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record   KEYS[3]  the room's log
-- KEYS[4]  rooms held here
-- ARGV[1]  the epoch and
-- ARGV[2]  the generation at which it was seen not to be held, before SQL was read
-- ARGV[3]  key    ARGV[4] id       ARGV[5] kind     ARGV[6] name    ARGV[7] password hash
-- ARGV[8]  creator    ARGV[9] created_at    ARGV[10] head: its last seq in SQL
-- ARGV[11] given: no seq up to this one is given again    ARGV[12] floor
--
-- Returns nil when the partition is closed, else 'open', or 'stale' when epoch or generation
-- moved on meanwhile: then what SQL said may be out of date. The old log goes: in a new epoch it
-- may hold what was lost on the server that SQL was fed from.

local epoch = open_epoch(KEYS[1])
if not epoch then return false end
if redis.call('HGET', KEYS[2], 'epoch') == epoch then return 'open' end
if epoch ~= ARGV[1] or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 'stale' end
local now = int(now_ms())
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'id', ARGV[4], 'epoch', epoch, 'kind', ARGV[5], 'name', ARGV[6],
  'password', ARGV[7], 'creator', ARGV[8], 'created', ARGV[9], 'head', ARGV[10],
  'given', ARGV[11], 'floor', ARGV[12], 'last', 0, 'active', now)
redis.call('ZADD', KEYS[4], now, ARGV[3])
return 'open'
