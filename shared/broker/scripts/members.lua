-- Put in front of scripts that deal with the living processes: what they share.

-- Milliseconds after which a process that said nothing more counts as dead.
local FORGET_AFTER = 15000

-- The processes that announced themselves lately: {name, role, at}, who and what each is and when it
-- said so. Then the lowest and the highest format that all of them read, and the lowest schema of
-- SQL that one knows. Those that are dead are dropped.
local function living(members)
  local now, found, oldest, newest, schema = now_ms(), {}, 0, math.huge, math.huge
  local fields = redis.call('HGETALL', members)
  for i = 1, #fields, 2 do
    local role, from, to, knows, at =
      string.match(fields[i + 1], '^(%a+) (%d+) (%d+) (%d+) (%d+)')
    at = tonumber(at or 0)
    -- Also one that a clock which was set back since left in the future.
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
