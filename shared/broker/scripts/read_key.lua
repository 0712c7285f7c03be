-- Run one reading command on keys of a partition, if it is open on this server.
--
-- KEYS[1]  the partition's record   KEYS[2..] the keys that the command reads
-- ARGV[1]  the latest epoch that the gateway has seen
-- ARGV[2]  the command              ARGV[3..] its arguments after the keys
--
-- Returns nil when the partition is closed, else {the command's answer}.

if not open_epoch(KEYS[1], ARGV[1]) then return false end
local words = {ARGV[2]}
for i = 2, #KEYS do words[#words + 1] = KEYS[i] end
for i = 3, #ARGV do words[#words + 1] = ARGV[i] end
return {redis.call(unpack(words))}
