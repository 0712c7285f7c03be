-- Read the state of a partition, and whether it is open on this server.
--
-- KEYS[1]  the partition's record   KEYS[2]  the partition's stream
--
-- Returns {replid of this server, epoch if open (else ''), number of partitions on record
-- (or ''), the last id the stream ever gave (or '0-0'), the position, ms since it was opened,
-- its format (or '0')}. The epoch is returned also to builds that do not know the format, so that
-- they can say why they refuse to run.

local record = redis.call('HMGET', KEYS[1], 'partitions', 'position', 'opened', 'format', 'epoch',
  'replid')
return {replid_here(), is_here(record[6]) and record[5] or '', record[1] or '', last_id(KEYS[2]),
  record[2] or '0', int(math.abs(now_ms() - tonumber(record[3] or 0))), record[4] or '0'}
