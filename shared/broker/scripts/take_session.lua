-- Take a session over, so that whoever had it before can change it no more.
--
-- KEYS[1]  the session's record
-- ARGV[1]  its new owner   ARGV[2] how long to keep it, ms
--
-- Returns nil when there is none that this build reads, or {data, at, now, format}: what was
-- kept, when, and the time, in ms since 1970. One of format 1 does not say so.

local found = redis.call('HMGET', KEYS[1], 'data', 'at', 'format')
local format = tonumber(found[3] or 1)
if not found[1] or format > NEWEST_FORMAT then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {found[1], tonumber(found[2]), now_ms(), format}
