-- What a partition's owner must know of it, and whether it is open.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
--
-- Returns {replid of this server, epoch if open (else ''), number of partitions on record
-- (or ''), the last id the stream ever gave (or '0-0'), the position, ms since it was opened,
-- its format (or '0')}. Open it is here also for those who do not know its format.

local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local last = '0-0'
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local record = redis.call('HMGET', KEYS[1], 'partitions', 'position', 'opened', 'format', 'epoch',
  'replid')
return {replid, is_here(record[6]) and record[5] or '', record[1] or '', last, record[2] or '0',
  int(math.abs(now_ms() - tonumber(record[3] or 0))), record[4] or '0'}
