-- Take a session over, so that whoever had it before can change it no more.
--
-- KEYS[1]  the session's record
-- ARGV[1]  its new owner   ARGV[2] how long to keep it, ms
--
-- Returns nil when there is none, or {data, at, now}: what was kept, when, and the time,
-- in ms since 1970.

local found = redis.call('HMGET', KEYS[1], 'data', 'at')
if not found[1] then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {found[1], tonumber(found[2]), now_ms()}
