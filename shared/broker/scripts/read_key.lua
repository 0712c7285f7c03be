-- Read one key of a partition by one command, if what the server has is not out of date.
--
-- KEYS[1]  the partition's record   KEYS[2..] what the command reads
-- ARGV[1]  the latest epoch that the gateway has seen
-- ARGV[2]  the command              ARGV[3..] its words behind the keys
--
-- Returns nil when the partition is closed, else {what the command answers}.

if not open_epoch(KEYS[1], ARGV[1]) then return false end
local words = {ARGV[2]}
for i = 2, #KEYS do words[#words + 1] = KEYS[i] end
for i = 3, #ARGV do words[#words + 1] = ARGV[i] end
return {redis.call(unpack(words))}
