-- Take over a session: its former owner can no longer change it.
--
-- KEYS[1]  the session's record
-- ARGV[1]  its new owner   ARGV[2] how long to keep it, ms
-- ARGV[3]  whose session may be taken: 'any', 'none' (a session without a user), 'is' or 'begins'
-- ARGV[4]  the user with 'is', the beginning of its name with 'begins'
--
-- Returns nil when there is no session that this build reads and the caller may take, or
-- {data, at, now, format}: the saved data, the time it was saved, and the present time, in ms since
-- 1970. A session without the field `format` is of format 1.
--
-- Nothing is changed before the user is compared: otherwise whoever got hold of another user's pid
-- could end that user's connection with it, and keep the session from being recovered.

local found = redis.call('HMGET', KEYS[1], 'data', 'at', 'format')
local format = tonumber(found[3] or 1)
if not found[1] or format > NEWEST_FORMAT then return false end
-- A session is a MessagePack array (shared/model/sessions.py); its user is the second field, or nil.
local readable, session = pcall(cmsgpack.unpack, found[1])
if not readable or type(session) ~= 'table' then return false end
local user, rule, name = session[2], ARGV[3], ARGV[4]
local mine = rule == 'any' or (rule == 'none' and not user) or
  (user and ((rule == 'is' and user == name) or
    (rule == 'begins' and string.sub(user, 1, #name) == name)))
if not mine then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {found[1], tonumber(found[2]), now_ms(), format}
