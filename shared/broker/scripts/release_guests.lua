-- Give back the places of a gateway's guests of one address; another gateway's stay.
--
-- KEYS[1]  hash: the incarnation of the gateway that holds a place, by guest
-- ARGV[1]  the gateway's incarnation   ARGV[2..] the guests

for i = 2, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
