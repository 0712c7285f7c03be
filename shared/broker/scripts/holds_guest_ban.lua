-- Tell whether an address is banned from a room.
--
-- KEYS[1]  sorted set: the guests for whom the address is banned from the room, by the end of each
--          ban, ms since 1970
--
-- Returns the number of bans that have not ended.

return redis.call('ZCOUNT', KEYS[1], '(' .. int(now_ms()), '+inf')
