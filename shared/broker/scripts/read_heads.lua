-- Read where rooms of a partition stand, for gateways that heard nothing of them for a while.
--
-- KEYS  the records of the rooms
--
-- Returns for each its head, or '0' when it is not held.

local heads = {}
for i, record in ipairs(KEYS) do
  local _, _, head = state_of(record)
  heads[i] = int(head or 0)
end
return heads
