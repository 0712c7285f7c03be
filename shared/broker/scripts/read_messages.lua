-- Read messages of a room's log that are not deleted, from a bounded number of entries.
--
-- KEYS[1]  the partition's record   KEYS[2]  the room's record
-- KEYS[3..6] its log, gone, cursors, moves
-- ARGV[1]  'forward' (oldest first) or 'backward' (newest first)
-- ARGV[2]  lowest seq wanted        ARGV[3]  highest seq wanted
-- ARGV[4]  maximum of messages      ARGV[5]  T: of the first T messages, deleted ones come too
-- ARGV[6]  maximum of entries to look at
-- ARGV[7]  maximum of deleted seqs to tell beside the log
-- ARGV[8]  maximum of bytes of envelopes; the last one may go beyond
-- ARGV[9]  the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, {} when the room is not held, else
-- {epoch, id, head, floor, [envelope, ...], [seq of a deleted message among them, ...],
--  [user, since, seq, at, ...] (cursor moves of a direct chat, four values each; none if T is 0),
--  [seq and prev of the first entry that was looked at, and of the last one] or [],
--  1 if the log may have more of the range, else 0,
--  [seq of a deleted message, ...]}
-- The last are of the part of the range that the log does not reach (any more): below the first
-- entry for 'forward', below the last one for 'backward', where the log has no more.
--
-- All messages up to the floor are deleted, so nothing is read there.

local epoch = open_epoch(KEYS[1], ARGV[9])
if not epoch then return false end
local id, held_in, head = state_of(KEYS[2])
if held_in ~= tonumber(epoch) then return {} end
local room = redis.call('HMGET', KEYS[2], 'floor', 'kind')
local forward = ARGV[1] == 'forward'
local low, high = math.max(tonumber(ARGV[2]), tonumber(room[1]) + 1), ARGV[3]
local wanted, near, left = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local bytes_left = tonumber(ARGV[8])
local any_gone = redis.call('EXISTS', KEYS[4]) == 1

local function seq_of(entry)
  return string.match(entry[1], '^%d+')
end

local function seq_and_prev(entry)
  local _, seq, _, prev = read_head(entry[2][2])
  return int(seq), int(prev)
end

-- The seqs of deleted messages among entries, as a set.
local function gone_among(entries)
  local set = {}
  if any_gone and #entries > 0 then
    local one, other = seq_of(entries[1]), seq_of(entries[#entries])
    if not forward then one, other = other, one end
    for _, seq in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], one, other)) do set[seq] = true end
  end
  return set
end

local events, gone, first, last = {}, {}, nil, nil
local from, to, more = int(low), high, true
while more and wanted > 0 and left > 0 and bytes_left > 0 do
  local count = math.min(left, math.max(wanted, 100))
  local entries = forward and redis.call('XRANGE', KEYS[3], from, to, 'COUNT', count)
    or redis.call('XREVRANGE', KEYS[3], to, from, 'COUNT', count)
  local deleted = gone_among(entries)
  more = #entries == count
  first = first or entries[1]
  for i, entry in ipairs(entries) do
    local event = entry[2][2]
    last = entry
    if sender_at(event) then
      local is_deleted = any_gone and deleted[seq_of(entry)]
      if not is_deleted then
        wanted = wanted - 1
        events[#events + 1] = event
        bytes_left = bytes_left - #event
      elseif near > 0 then
        events[#events + 1] = event
        gone[#gone + 1] = seq_of(entry)
        bytes_left = bytes_left - #event
      end
      near = near - 1
      if wanted == 0 or bytes_left <= 0 then
        -- Where the bytes are used up, another call is to tell what follows.
        more = more or i < #entries or bytes_left <= 0
        break
      end
    end
  end
  left = left - count
  if last and forward then from = '(' .. last[1] elseif last then to = '(' .. last[1] end
end

local edges = {}
if first then
  edges[1], edges[2] = seq_and_prev(first)
  edges[3], edges[4] = seq_and_prev(last)
end
local beside = {}
if not any_gone or wanted == 0 and not forward then
  beside = {}
elseif forward and (not first or tonumber(edges[2]) >= low) then
  beside = redis.call('ZRANGEBYSCORE', KEYS[4], int(low), first and '(' .. edges[1] or '+inf',
    'LIMIT', 0, ARGV[7])
elseif not forward and not more and (not first or tonumber(edges[4]) >= low) then
  beside = redis.call('ZREVRANGEBYSCORE', KEYS[4],
    first and '(' .. edges[3] or high, int(low), 'LIMIT', 0, ARGV[7])
end
local moves = room[2] == 'direct' and ARGV[5] ~= '0' and words_of_moves(KEYS[6]) or {}
return {epoch, int(id), int(head), room[1], events, gone, moves, edges, more and 1 or 0, beside}
