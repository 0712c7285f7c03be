-- Announce a process as a running member of a partition, and return what all members can read.
--
-- From then on no epoch of the partition opens in a format that the process does not read. The
-- process is refused if it does not read the partition's present format, or if it works with
-- another database than the one the installation is stored in.
--
-- KEYS[1]  the partition's record   KEYS[2]  hash: the running processes, by incarnation
-- KEYS[3]  hash: the identity of the installation's database
-- ARGV[1]  the incarnation          ARGV[2]  its role, `gateway` or `persister`
-- ARGV[3], ARGV[4] the oldest and the newest format that it reads
-- ARGV[5]  the SQL schema that it knows
-- ARGV[6]  ms after which a silent persister no longer counts
-- ARGV[7]  the name of the database that it works with, or '' if it does not know yet
-- ARGV[8]  the part of that name that stays after a restart of the machine
-- ARGV[9]  how often a database has taken the place of the one before it
-- ARGV[10] why it cannot do its work now, for the status page, or ''
--
-- Returns {status; the format of the partition, or 0; the highest format that all members read;
-- the number of running persisters; the lowest schema that a member knows}. Status is
--   counted   the process is a member
--   unread    it does not read the partition's format
--   in use    a running persister works with another database
--   another   the installation was last stored in another database
--   later     the process's database was adopted; wait until a persister announces it

local me, role, mine, adoptions = ARGV[1], ARGV[2], ARGV[7], tonumber(ARGV[9])
local format = tonumber(redis.call('HGET', KEYS[1], 'format') or 0)
if format ~= 0 and (format < tonumber(ARGV[3]) or format > tonumber(ARGV[4])) then
  return {'unread', format, 0, 0, 0}
end
local now, others = now_ms(), 0
for _, member in ipairs((living(KEYS[2]))) do
  local fresh = math.abs(now - member.at) <= tonumber(ARGV[6])
  if member.name ~= me and member.role == 'persister' and fresh then others = others + 1 end
end
local known = redis.call('HMGET', KEYS[3], 'name', 'place', 'adoptions')
if mine ~= '' and mine ~= known[1] then
  local next = not known[1] or known[2] == ARGV[8] or adoptions > tonumber(known[3])
  if known[1] and role == 'persister' and others > 0 then return {'in use', format, 0, 0, 0} end
  if known[1] and not next then return {'another', format, 0, 0, 0} end
  if role ~= 'persister' and known[1] and known[2] ~= ARGV[8] then
    return {'later', format, 0, 0, 0}
  end
end
if mine ~= '' and role == 'persister' then
  redis.call('HSET', KEYS[3], 'name', mine, 'place', ARGV[8], 'adoptions', adoptions)
end
local words = {role, ARGV[3], ARGV[4], ARGV[5], int(now)}
if ARGV[10] ~= '' then words[6] = ARGV[10] end
redis.call('HSET', KEYS[2], me, table.concat(words, ' '))
local _, _, newest, schema = living(KEYS[2])
return {'counted', format, newest, others + (role == 'persister' and 1 or 0), schema}
