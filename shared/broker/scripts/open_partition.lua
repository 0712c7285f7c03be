-- Open a partition in a new epoch, after its owner stored in SQL what survived here.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  rooms created and not yet in SQL
-- KEYS[4]  the living processes
-- ARGV[1]  the epoch, as SQL has it now
-- ARGV[2]  the replid and
-- ARGV[3]  the stream's last id that the owner saw before it read what survived
-- ARGV[4]  where numbering begins: above everything given in any epoch before
-- ARGV[5]  this partition's number     ARGV[6]  how many partitions there are
-- ARGV[7]  the format that the epoch is written in
--
-- Returns 'open', or why not:
--   moved   the server was replaced, or the stream grew, since the owner looked: look again
--   newer   a later owner opened it in a later epoch
--   unread  a living process does not read the format

local state = redis.call('HMGET', KEYS[1], 'epoch', 'replid', 'generation')
local replid = replid_here()
if replid ~= ARGV[2] then return 'moved' end
if state[1] and state[2] == replid and tonumber(state[1]) >= tonumber(ARGV[1]) then
  return 'newer'
end
if last_id(KEYS[2]) ~= ARGV[3] then return 'moved' end
local _, oldest, newest = living(KEYS[4])
if tonumber(ARGV[7]) < oldest or tonumber(ARGV[7]) > newest then return 'unread' end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'format', ARGV[7], 'epoch', ARGV[1], 'replid', replid, 'counter', ARGV[4],
  'position', ARGV[4], 'number', ARGV[5], 'partitions', ARGV[6], 'opened', int(now_ms()),
  'generation', (tonumber(state[3]) or 0) + 1)
return 'open'
