-- Functions for scripts that read the running processes; put in front of them.

-- Milliseconds without an announcement after which a process counts as ended.
local FORGET_AFTER = 15000

-- Return the processes that announced themselves lately, each as {name, role, at}: incarnation,
-- role, and time of the announcement. Then the lowest and the highest format that all of them read,
-- and the lowest SQL schema that one of them knows. Others are removed from the hash.
local function living(members)
  local now, found, oldest, newest, schema = now_ms(), {}, 0, math.huge, math.huge
  local fields = redis.call('HGETALL', members)
  for i = 1, #fields, 2 do
    local role, from, to, knows, at =
      string.match(fields[i + 1], '^(%a+) (%d+) (%d+) (%d+) (%d+)')
    at = tonumber(at or 0)
    -- The absolute difference, as a clock that was set back leaves announcements in the future.
    if math.abs(now - at) > FORGET_AFTER then
      redis.call('HDEL', members, fields[i])
    else
      found[#found + 1] = {name = fields[i], role = role, at = at}
      oldest, newest = math.max(oldest, tonumber(from)), math.min(newest, tonumber(to))
      schema = math.min(schema, tonumber(knows))
    end
  end
  return found, oldest, newest, schema
end
