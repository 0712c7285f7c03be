-- Read a part of the tail of a room (events that SQL may not have yet) for a list of chats, newest
-- first, from a bounded number of entries.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  the user                 ARGV[2]  the highest seq to look at
-- ARGV[3]  1 to look for the last message, else 0
-- ARGV[4]  1 for the first part of a tail, 0 to go on
-- ARGV[5]  maximum of entries       ARGV[6]  maximum of deleted seqs to tell beside the tail
-- ARGV[7]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held or deleted, else
-- {id, floor, the user's cursor or '',
--  [seq of each message of the other user past the cursor that is not deleted, ...],
--  the envelope of the last message that is not deleted, or '',
--  the lowest seq that was looked at, or 0,
--  1 if the tail may have more that matters, else 0,
--  [seq of a deleted message below the tail, ...], the highest first, none where it is empty,
--  [user, since, seq, at, ...]} (cursor moves, four values each, with the first part)

local epoch = open_epoch(KEYS[1], ARGV[7])
if not epoch then return false end
local room, held_in, _, _, _, _, _, deleted = state_of(KEYS[2])
if held_in ~= tonumber(epoch) or deleted == 1 then return {} end
local position = tonumber(redis.call('HGET', KEYS[1], 'position'))
local floor = redis.call('HGET', KEYS[2], 'floor')
local cursor = redis.call('HGET', KEYS[5], ARGV[1]) or ''
local read_to = math.max(tonumber(floor), tonumber(cursor) or 0)
local to, left, any_gone = ARGV[2], tonumber(ARGV[5]), redis.call('EXISTS', KEYS[4]) == 1
local sender = cmsgpack.pack(ARGV[1])
local look, last, unread, lowest, more = ARGV[3] == '1', '', {}, nil, true
while more and left > 0 do
  local count = math.min(left, 100)
  local entries = redis.call('XREVRANGE', KEYS[3], to, int(tonumber(floor) + 1), 'COUNT', count)
  local gone = {}
  if any_gone and #entries > 0 then
    local low, high = string.match(entries[#entries][1], '^%d+'), string.match(entries[1][1], '^%d+')
    for _, seq in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], low, high)) do gone[seq] = true end
  end
  more = #entries == count
  for _, entry in ipairs(entries) do
    local event, seq = entry[2][2], string.match(entry[1], '^%d+')
    local past = tonumber(seq) > read_to
    if math.floor(read_head(event) / 1024) <= position or (not look and not past) then
      more = false
      break
    end
    lowest = seq
    local from = sender_at(event)
    if from and not gone[seq] then
      if look then look, last = false, event end
      if past and string.sub(event, from, from + #sender - 1) ~= sender then
        unread[#unread + 1] = seq
      end
    end
  end
  if lowest then to = '(' .. lowest .. '-0' end
  left = left - count
end
local beside = {}
if any_gone and not more and (lowest or ARGV[4] == '0') then
  beside = redis.call('ZREVRANGEBYSCORE', KEYS[4], lowest and '(' .. lowest or ARGV[2],
    int(tonumber(floor) + 1), 'LIMIT', 0, ARGV[6])
end
local moves = ARGV[4] == '1' and words_of_moves(KEYS[6]) or {}
return {int(room), floor, cursor, unread, last, lowest or '0', more and 1 or 0, beside, moves}
