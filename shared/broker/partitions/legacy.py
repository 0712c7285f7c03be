"""What builds without formats left in the broker, on its way to the keys of this one.

Their keys had no namespace: `{<number>}:<rest>`. Nothing of theirs is written any more. What they
accepted goes to SQL from their streams; what only the broker has, dead letters and sessions, moves;
the rest is in SQL. A record that says so is left behind, and refuses such a build that starts.
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
"""Keys looked at, or let go of, at a time."""

INVALID_PARTITIONS: Final = 0
"""As `partitions` in the record that is left behind: older builds refuse data made with another."""


class LegacyBroker:
    """The keys without a namespace, and where they go."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def close(self, number: int) -> None:
        """Let nothing more be accepted under the old keys, and no older build start.

        Dead letters move now: what is set aside from here on comes behind them.
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
        """About `most` entries of an old stream after a position, in order."""
        stream, prefix = f"{{{number}}}:stream", f"{{{number}}}:room:"
        found: list[Entry] = []
        # A row that holds the position holds what is after it, too.
        rows: Any = await self._client.xrange(stream, f"({after}-0", "+", limit)
        for entry_id, fields in rows:
            entries = entries_of(counter_in(entry_id), flatten_fields(fields), prefix)
            found += [entry for entry in entries if entry.counter > after]
        return found

    async def move(self, number: int) -> None:
        """Keep what SQL has not got, and let go of the rest. It may be done again."""
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
        """All keys that begin so, but for the partition's record."""
        left: list[bytes] = []
        async for key in self._client.scan_iter(f"{old}*", MAX_KEYS_PER_CALL):
            if key != f"{old}partition".encode():
                left.append(key)
            if len(left) == MAX_KEYS_PER_CALL:
                yield left
                left = []
        if left:
            yield left
