-- Ban the address of a guest from a room for a while.
--
-- KEYS[1]  set: the guests for whom the address is banned from the room
-- ARGV[1]  the guest   ARGV[2] how long from now, ms
--
-- Returns 1 if the address is banned for this guest only now, 0 if it was before.

local added = redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return added
