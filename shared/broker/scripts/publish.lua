-- Accept the sends of a turn: number them, append them to stream and logs, publish them.
--
-- KEYS[1]  the partition's record      KEYS[2]  the partition's stream
-- KEYS[3]  the control channel         KEYS[4]  the wake log
-- KEYS[5], KEYS[6]  the hashes that remember clientMsgIds, of even and of odd periods (see below)
-- KEYS[7..] three for each of R rooms: its record, its log, its channel
-- KEYS[..]  one for each 'delete' below: the set of deleted seqs (gone) of its room
-- ARGV[1]  MAX_BACKLOG, entries        ARGV[2]  how long a clientMsgId is remembered, ms
-- ARGV[3]  ms without an event after which a message of a direct chat is also a wake
-- ARGV[4]  the latest epoch that the gateway has seen
-- ARGV[5]  R, the number of rooms      ARGV[6]  S, the number of sends, in order by room
-- ARGV[7]  the format of the encoded bodies
-- ARGV[8..] two for each room: its id, as the gateway knows it, and its number of sends
-- ARGV[..]  one for each send: its idempotency key (room id, sender and clientMsgId)
-- ARGV[..]  one for each send: its encoded body
-- ARGV[..]  four for each effect that a send has on its room's record, in order: the number of the
--           send (1..S), the operation, a field of the record, and a value. 'set' gives the field
--           the value, 'seq' gives it the seq of the event, 'unset' removes the field, 'delete'
--           deletes the message with the seq <value>, 'drop' deletes the room
--
-- Returns nil when the partition is closed; else {epoch, results}, with four numbers for each
-- send: status, id, seq, created_at. Status is
--   0 accepted    a new event
--   1 duplicate   this clientMsgId was accepted before; the numbers are those of the first time
--   2 absent      the room is not held (evicted, or of another epoch): open it and send again
--   3 gone        the room has another id, or was deleted
--   4 overloaded  the backlog is full
-- Nothing is written for a send before all of its checks have passed, and no write below can fail,
-- because only scripts write these keys and ids only grow. Values that several sends of a call
-- change, such as a room's state, are written once.
--
-- A clientMsgId is remembered in the hash of the period in which it came; a period is as long as a
-- clientMsgId must be remembered (ARGV[2]). Two hashes take turns, and both are read. Example with
-- 60 minutes: a send of 10:59 is in the hash of 10:00. Its repeat of 11:58 looks into the hashes of
-- 11:00 and of 10:00. The first send after 12:00 empties the hash of 10:00.
-- The stored value is the head of the envelope, in the format in which the send was accepted. A
-- head of a later format was written by a newer build that this one has replaced, and is ignored:
-- SQL has the sends of that build.

local call = redis.call
local record = call('HMGET', KEYS[1], 'epoch', 'replid', 'format', 'counter', 'position', 'number',
  'period')
local epoch, format = tonumber(record[1]), tonumber(record[3])
if format ~= tonumber(ARGV[7]) or not is_open(epoch, record[2], format, ARGV[4]) then
  return false
end
local counter, position, number = tonumber(record[4]), tonumber(record[5]), tonumber(record[6])
local most, memory_ms = position + tonumber(ARGV[1]), tonumber(ARGV[2])
local quiet_ms, room_count, send_count = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local names, bodies = 7 + 2 * room_count, 7 + 2 * room_count + send_count
local created_at = now_ms()

-- The effects of sends on their rooms, by the number of the send. Most sends have none.
local effects, gone = {}, 6 + 3 * room_count
for arg = bodies + send_count + 1, #ARGV, 4 do
  local send = tonumber(ARGV[arg])
  local step = {what = ARGV[arg + 1], field = ARGV[arg + 2], value = ARGV[arg + 3]}
  local effect = effects[send] or {drops = false}
  effects[send] = effect
  effect[#effect + 1] = step
  if step.what == 'delete' then
    gone = gone + 1
    step.gone = KEYS[gone]
  elseif step.what == 'drop' then
    effect.drops = true
  end
end

-- Apply the effect of the event with `seq` to its room's record and its set of deleted seqs.
local function apply(effect, key, seq)
  for _, step in ipairs(effect) do
    if step.what == 'set' then
      call('HSET', key, step.field, step.value)
    elseif step.what == 'seq' then
      call('HSET', key, step.field, seq)
    elseif step.what == 'unset' then
      call('HDEL', key, step.field)
    elseif step.what == 'delete' then
      call('ZADD', step.gone, step.value, step.value)
    end
  end
end

-- Until the first send of this period, its hash still holds the period before the last one. The
-- expiry of the hash tells which: (period + 3) * memory_ms, set below. After the clock was set back
-- the expiry may be later, and the hash is kept.
local period = math.floor(created_at / memory_ms)
local once, once_before = KEYS[5 + period % 2], KEYS[6 - period % 2]
local new_period = record[7] ~= int(period)
if new_period and call('PEXPIRETIME', once) <= (period + 1) * memory_ms then
  call('UNLINK', once)
end
local known_now = call('HMGET', once, unpack(ARGV, names + 1, names + send_count))
local known_before = call('HMGET', once_before, unpack(ARGV, names + 1, names + send_count))

local results, fresh, memory, entries = {}, {}, {}, {}
local last_send = 0
for i = 1, room_count do
  local key, arg = KEYS[4 + 3 * i], 6 + 2 * i
  local log, channel = KEYS[5 + 3 * i], KEYS[6 + 3 * i]
  local id, held_in, head, given, last, active, woke, deleted = state_of(key)
  local refusal = held_in ~= epoch and 2 or (id ~= tonumber(ARGV[arg]) or deleted == 1) and 3
  local counted = counter
  local first_send = last_send + 1
  last_send = last_send + tonumber(ARGV[arg + 1])
  for send = first_send, last_send do
    local name, effect = ARGV[names + send], effects[send]
    local status, event_id, seq, at = 0, 0, 0, created_at
    local known = fresh[name] or known_now[send] or known_before[send]
    if known and string.byte(known, 2) <= NEWEST_FORMAT then
      status = 1
      event_id, seq, at = read_head(known)
    elseif refusal then
      status = refusal
    elseif counter >= most then
      status = 4
    else
      counter = counter + 1
      event_id, seq = counter * 1024 + number, math.max(head, given) + 1
      local start = head_of(format, id, event_id, seq, head, created_at)
      local event = start .. ARGV[bodies + send]
      fresh[name] = start
      memory[#memory + 1] = name
      memory[#memory + 1] = start
      entries[#entries + 1] = event
      entries[#entries + 1] = key
      if #entries == 16 then
        add_row(KEYS[2], counter, format, unpack(entries))
        entries = {}
      end
      call('XADD', log, seq, 'e', event)
      call('SPUBLISH', channel, event)
      -- A clock that was set back puts the last event into the future (idle < 0): that is a wake,
      -- too. So is the first event since the room is held (woke == 0): while the room was not held,
      -- gateways of users who came online could not find it among the held chats.
      local idle = created_at - active
      if woke == 0 or idle < 0 or idle >= quiet_ms or effect and effect.drops then
        woke = 1
        local room = call('HMGET', key, 'kind', 'key', 'user1', 'user2')
        if room[1] == 'direct' then
          local body = cmsgpack.pack({'wake', room[2], room[3], room[4], false})
          wake(KEYS[3], KEYS[4], counter,
            envelope(format, id, event_id, seq, head, created_at, body))
        end
      end
      head, active, last = seq, created_at, counter
      if effect then apply(effect, key, seq) end
      if effect and effect.drops then deleted, refusal = 1, 3 end
    end
    local result = 4 * send
    results[result - 3], results[result - 2], results[result - 1], results[result] =
      status, event_id, seq, at
  end
  if counter > counted then
    call('HSET', key, state_field(id, epoch, head, given, last, active, woke, deleted))
  end
end

if #memory > 0 then
  if #entries > 0 then add_row(KEYS[2], counter, format, unpack(entries)) end
  call('HSET', once, unpack(memory))
  if new_period then
    -- A long value keeps the server from searching a small hash from end to end.
    call('HSET', once, '', string.rep('-', 100))
    call('PEXPIREAT', once, (period + 3) * memory_ms)
    call('HSET', KEYS[1], 'period', period)
  end
  call('HSET', KEYS[1], 'counter', counter)
end
return {epoch, results}
