-- Take over a session: its former owner can no longer change it.
--
-- KEYS[1]  the session's record
-- ARGV[1]  its new owner   ARGV[2] how long to keep it, ms
--
-- Returns nil when there is no session that this build reads, or {data, at, now, format}: the saved
-- data, the time it was saved, and the present time, in ms since 1970. A session without the field
-- `format` is of format 1.

local found = redis.call('HMGET', KEYS[1], 'data', 'at', 'format')
local format = tonumber(found[3] or 1)
if not found[1] or format > NEWEST_FORMAT then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {found[1], tonumber(found[2]), now_ms(), format}
