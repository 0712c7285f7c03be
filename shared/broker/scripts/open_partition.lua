-- Open a partition in a new epoch, after its owner stored the surviving entries in SQL.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  rooms created and not yet in SQL
-- KEYS[4]  the running processes
-- ARGV[1]  the new epoch, as SQL has it
-- ARGV[2], ARGV[3]  the replid and the stream's last id that the owner read before it read the
--          surviving entries
-- ARGV[4]  the counter above which the epoch numbers: above every number of earlier epochs
-- ARGV[5]  this partition's number     ARGV[6]  the number of partitions
-- ARGV[7]  the format of the epoch
--
-- Returns 'open', or the reason for which it stays closed:
--   moved   the server was replaced, or the stream grew, since the owner read it: read it again
--   newer   a later owner opened it in a later epoch
--   unread  a running process does not read the format
--
-- Both ARGV[2] and ARGV[3] are needed, as the stream is deleted here. A failover to a replica with
-- the same stream changes only the replid; entries that an older epoch still accepted, between the
-- owner's last read and this call, change only the last id. Either way accepted entries would be
-- deleted that SQL does not have.

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
redis.call('HSET', KEYS[1], 'format', ARGV[7], 'epoch', ARGV[1], 'replid', replid,
  'counter', ARGV[4], 'position', ARGV[4], 'number', ARGV[5], 'partitions', ARGV[6],
  'opened', int(now_ms()), 'generation', (tonumber(state[3]) or 0) + 1)
return 'open'
