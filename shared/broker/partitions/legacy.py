"""Migration of the keys that builds without formats left in the broker.

Their keys had no namespace: `{<number>}:<rest>`. This build only reads them. Entries of their
streams are stored in SQL. Dead letters and sessions, which exist in the broker alone, are renamed
to this build's keys. Everything else is in SQL and is deleted. The old record of a partition stays,
with values that make an old build refuse to start.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from redis.exceptions import ResponseError

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.rows import Entry, counter_in, entries_of, flatten_fields
from shared.broker.transport.client import Client
from shared.model import formats

MAX_KEYS_PER_CALL: Final = 1000
"""Keys scanned, or deleted, in one call."""

INVALID_PARTITIONS: Final = 0
"""`partitions` in the record that stays: old builds refuse data with another number than theirs."""


class LegacyBroker:
    """Reads and moves the keys without a namespace."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def close(self, number: int) -> None:
        """Stop old builds from accepting sends to a partition, and from starting.

        Dead letters move at once, so that entries set aside later come after them.
        """
        record, dead = f"{{{number}}}:partition", f"{{{number}}}:dead"
        async with self._client.pipeline(transaction=True) as transaction:
            transaction.hdel(record, "epoch")
            transaction.hset(
                record, mapping={"partitions": INVALID_PARTITIONS, "format": formats.LEGACY}
            )
            await transaction.execute()
        if await self._client.exists(dead):
            await self._client.renamenx(dead, self._keys[number].dead)

    async def entries(self, number: int, after: int, limit: int) -> list[Entry]:
        """About `limit` entries of an old stream after a position, in order."""
        stream, prefix = f"{{{number}}}:stream", f"{{{number}}}:room:"
        found: list[Entry] = []
        # A stream entry has several events: the one with the position may hold later ones, too.
        rows: Any = await self._client.xrange(stream, f"({after}-0", "+", limit)
        for entry_id, fields in rows:
            entries = entries_of(counter_in(entry_id), flatten_fields(fields), prefix)
            found += [entry for entry in entries if entry.counter > after]
        return found

    async def move(self, number: int) -> None:
        """Move sessions to this build's keys and delete the rest. Repeating it does no harm."""
        part, old = self._keys[number], f"{{{number}}}:"
        async for key in self._client.scan_iter(f"{old}session:*", MAX_KEYS_PER_CALL):
            pid = key.decode().removeprefix(f"{old}session:")
            with contextlib.suppress(ResponseError):  # it has expired just now
                await self._client.renamenx(key, part.session(pid))
        async for some in self._batches(old):
            await self._client.unlink(*some)
        if number == 0:
            await self._client.unlink("{persisters}:members")

    async def _batches(self, old: str) -> AsyncIterator[list[bytes]]:
        """Keys that begin with `old`, except the partition's record, in lists."""
        left: list[bytes] = []
        async for key in self._client.scan_iter(f"{old}*", MAX_KEYS_PER_CALL):
            if key != f"{old}partition".encode():
                left.append(key)
            if len(left) == MAX_KEYS_PER_CALL:
                yield left
                left = []
        if left:
            yield left
