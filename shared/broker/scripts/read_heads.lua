-- Read the heads of rooms of a partition, for gateways that received nothing from them for a while.
--
-- KEYS[1]  the partition's record   KEYS[2..] the records of the rooms
-- ARGV[1]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, else the head of each room, '0' for one not held.

if not open_epoch(KEYS[1], ARGV[1]) then return false end
local heads = {}
for i = 2, #KEYS do
  local _, _, head = state_of(KEYS[i])
  heads[i - 1] = int(head or 0)
end
return heads
