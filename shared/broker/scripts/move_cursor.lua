-- Move a user's cursor forward, never past the head.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
-- KEYS[3]  the room's channel       KEYS[4]  the room's record
-- KEYS[5..8] its log, gone, cursors, moves
-- KEYS[9]  the control channel, for moves in a direct chat that no gateway may follow any more
-- ARGV[1]  MAX_BACKLOG   ARGV[2] the room's id   ARGV[3] user   ARGV[4] seq
-- ARGV[5]  the cursor as SQL has it, read after the answer `unknown`; '' in a first call
-- ARGV[6]  the id of the message that was marked, or 0   ARGV[7] the connection's sid
-- ARGV[8]  the key of a direct chat, else ''
-- ARGV[9]  ms without an event after which gateways may have stopped following a direct chat
-- ARGV[10] the latest epoch that the gateway has seen
--
-- Returns nil when the partition is closed, or {status, seq}:
--   moved       the cursor is at seq now; the move is in the stream and on the channel
--   unmoved     it was at seq already, or beyond
--   unknown     the broker does not know the cursor: read it from SQL and call again
--   absent, gone, overloaded   as for a send (see publish.lua)

local epoch, format = open_epoch(KEYS[1], ARGV[10])
if not epoch then return false end
local id, held_in, head, given, _, active, woke, deleted = state_of(KEYS[4])
if held_in ~= tonumber(epoch) then return {'absent', 0} end
if id ~= tonumber(ARGV[2]) or deleted == 1 then return {'gone', 0} end
local known = redis.call('HGET', KEYS[7], ARGV[3])
if not known then
  if ARGV[5] == '' then return {'unknown', 0} end
  known = ARGV[5]
end
local since, seq = tonumber(known), math.min(tonumber(ARGV[4]), head)
if seq <= since then return {'unmoved', since} end
local counter, event_id = next_entry(KEYS[1], ARGV[1])
if not counter then return {'overloaded', 0} end

local direct, at = ARGV[8] ~= '', now_ms()
local users = redis.call('HMGET', KEYS[4], 'user1', 'user2')
local body = cmsgpack.pack({'seen', ARGV[3], seq, since, tonumber(ARGV[6]), ARGV[7],
  ARGV[8], direct and users[1] or '', direct and users[2] or '', tonumber(epoch)})
local event = envelope(format, id, event_id, 0, 0, at, body)
redis.call('HSET', KEYS[1], 'counter', int(counter))
redis.call('HSET', KEYS[7], ARGV[3], int(seq))
redis.call('HSET', KEYS[4],
  state_field(id, held_in, head, given, counter, active, woke, deleted))
add_row(KEYS[2], counter, format, event, KEYS[4])
if direct then
  redis.call('XADD', KEYS[8], int(counter) .. '-0', 'u', ARGV[3], 'f', int(since), 't', int(seq),
    'a', int(at))
end
local quiet = math.abs(at - active) >= tonumber(ARGV[9])
redis.call('SPUBLISH', direct and quiet and KEYS[9] or KEYS[3], event)
return {'moved', seq}
