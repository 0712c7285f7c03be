-- Accept the sends of a tick: number them, append them to stream and logs, publish them.
--
-- KEYS[1]  the partition's record      KEYS[2]  the partition's stream
-- KEYS[3]  the control channel         KEYS[4]  the wakes
-- KEYS[5..] four for each of R rooms: its record, its log, its channel, its gone
-- KEYS[..]  one for each send: the key that remembers its clientMsgId
-- ARGV[1]  MAX_BACKLOG, entries        ARGV[2]  how long a clientMsgId is remembered, ms
-- ARGV[3]  after how long without an event a direct chat wakes, ms
-- ARGV[4]  the latest epoch that the gateway has seen: a server of an earlier one was left behind
--          by a failover, and what it accepts would be lost
-- ARGV[5]  R
-- ARGV[6..] two for each room: its id, as the gateway knows it, and the encoded body of its wake
--          ('' for a named room, which never wakes)
-- ARGV[..] three for each send: the number of its room (1..R), its effect, the encoded body.
--          Effects: '' none; 'floor' raises the room's floor to the event; 'delete <seq>' deletes
--          the message there; 'drop' deletes the room; 'password <hash>'; 'kick <user>',
--          'ban <user>', 'unban <user>', 'promote <user>', 'demote <user>': a user's standing
--
-- Returns nil when the partition is closed; else {epoch, results}, with for each send
-- {status, id, seq, created_at}:
--   accepted    a new event
--   duplicate   this clientMsgId was accepted before; the numbers are of that time
--   absent      the room is not held here (quiet, or of another epoch): open it and come again
--   gone        the room has another id, or was deleted
--   overloaded  the backlog is full
-- Nothing is written before every check that could fail has passed for its send, and no write
-- below can fail: the types are ours and the ids only grow.

local epoch = open_epoch(KEYS[1])
if not epoch or tonumber(epoch) < tonumber(ARGV[4]) then return false end
local record = redis.call('HMGET', KEYS[1], 'counter', 'position', 'number')
local counter, position, number = tonumber(record[1]), tonumber(record[2]), tonumber(record[3])
local max_backlog, dedupe_ms = tonumber(ARGV[1]), ARGV[2]
local quiet_ms, room_count = tonumber(ARGV[3]), tonumber(ARGV[5])
local first_send_key, first_send_arg = 4 + 4 * room_count, 5 + 2 * room_count
local created_at = now_ms()

local rooms = {}
for i = 1, room_count do
  local key = 1 + 4 * i
  local fields = redis.call('HMGET', KEYS[key], 'id', 'epoch', 'head', 'given', 'active', 'deleted',
    'woke')
  local room = {record = KEYS[key], log = KEYS[key + 1], channel = KEYS[key + 2],
    gone = KEYS[key + 3], wake = ARGV[5 + 2 * i]}
  if not fields[1] or fields[2] ~= epoch then
    room.refusal = 'absent'
  elseif fields[1] ~= ARGV[4 + 2 * i] or fields[6] then
    room.refusal = 'gone'
  else
    room.id, room.head, room.given = tonumber(fields[1]), tonumber(fields[3]), tonumber(fields[4])
    room.active, room.woke = tonumber(fields[5]), fields[7]
  end
  rooms[i] = room
end

local results = {}
for i = 1, #KEYS - first_send_key do
  local arg = first_send_arg + 3 * (i - 1)
  local room, effect, body = rooms[tonumber(ARGV[arg + 1])], ARGV[arg + 2], ARGV[arg + 3]
  local once = KEYS[first_send_key + i]
  local known = redis.call('GET', once)
  if known then
    local id, seq, at = string.match(known, '(%d+) (%d+) (%d+)')
    results[i] = {'duplicate', tonumber(id), tonumber(seq), tonumber(at)}
  elseif room.refusal then
    results[i] = {room.refusal}
  elseif counter - position >= max_backlog then
    results[i] = {'overloaded'}
  else
    counter = counter + 1
    local id = counter * 1024 + number
    local seq = math.max(room.head, room.given) + 1
    local event = envelope(room.id, id, seq, room.head, created_at, body)
    redis.call('XADD', KEYS[2], int(counter) .. '-0', 'e', event, 'r', room.record)
    redis.call('XADD', room.log, int(seq) .. '-0', 'e', event)
    redis.call('SPUBLISH', room.channel, event)
    redis.call('SET', once, int(id) .. ' ' .. int(seq) .. ' ' .. int(created_at), 'PX', dedupe_ms)
    -- A clock that was set back makes the last event one of the future: that wakes too. So does
    -- the first event since the room is held: who came online before could not be told of it.
    local idle = created_at - room.active
    if room.wake ~= '' and
        (not room.woke or idle < 0 or idle >= quiet_ms or effect == 'drop') then
      room.woke = '1'
      redis.call('HSET', room.record, 'woke', 1)
      wake(KEYS[3], KEYS[4], counter,
        envelope(room.id, id, seq, room.head, created_at, room.wake))
    end
    room.head, room.active, room.last = seq, created_at, counter
    if effect == 'floor' then
      redis.call('HSET', room.record, 'floor', int(seq))
    elseif effect == 'drop' then
      redis.call('HSET', room.record, 'deleted', 1)
      room.refusal = 'gone'
    elseif effect ~= '' then
      local verb, word = string.match(effect, '^(%a+) (.*)$')
      if verb == 'delete' then
        redis.call('ZADD', room.gone, word, word)
      elseif verb == 'password' then
        redis.call('HSET', room.record, 'password', word, 'password_seq', int(seq))
      elseif verb == 'promote' then
        redis.call('HSET', room.record, 'moderator:' .. word, 1)
      elseif verb == 'demote' then
        redis.call('HDEL', room.record, 'moderator:' .. word)
      elseif verb == 'unban' then
        redis.call('HDEL', room.record, 'banned:' .. word)
      else
        redis.call('HSET', room.record, 'kicked:' .. word, int(seq))
        if verb == 'ban' then
          redis.call('HSET', room.record, 'banned:' .. word, 1)
          redis.call('HDEL', room.record, 'moderator:' .. word)
        end
      end
    end
    results[i] = {'accepted', id, seq, created_at}
  end
end

for i = 1, room_count do
  local room = rooms[i]
  if room.last then
    redis.call('HSET', room.record, 'head', int(room.head), 'last', int(room.last),
      'active', int(created_at))
  end
end
redis.call('HSET', KEYS[1], 'counter', int(counter))
return {tonumber(epoch), results}
