"""Reads of partition streams, and the dead-letter stream beside each of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.rows import (
    MAX_EVENTS_PER_ENTRY,
    Entry,
    counter_in,
    entries_of,
    unpack_row,
)
from shared.broker.transport.client import Client
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.resp import Word, pack


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry that SQL refused, or that this build could not read.

    Attributes:
        entry_id: the letter's id in the dead-letter stream.
        entries: the entry that was set aside. For a row that was kept whole and that this build
            can read, its events.
        reason: the error for which it was set aside.
    """

    partition: int
    entry_id: str
    entries: list[Entry]
    reason: str


class StreamReader:
    """Reads streams on a connection of its own, because a blocking read holds the connection."""

    def __init__(self, url: str, keys: Keyspace, block: float = 0.25) -> None:
        """Prepare; the first read connects.

        Args:
            url: the broker's URL.
            keys: the installation's keys.
            block: seconds to wait for an entry, unless a call says otherwise.
        """
        self._pipe = Pipe(url, timeout=block + 5.0)
        self._keys = keys
        self._block = block

    async def read(
        self, positions: Mapping[int, int], limit: int, *, block: float | None = None
    ) -> dict[int, list[Entry]]:
        """Wait for entries after these positions.

        Args:
            positions: partition -> the counter after which to read.
            limit: entries for each partition, at the most and approximately.
            block: seconds to wait, 0 for not at all; the reader's own unless given.

        Returns:
            Partition -> entries in order; empty when nothing came in time.
        """
        count = max(1, limit // MAX_EVENTS_PER_ENTRY)
        wait = self._block if block is None else block
        found: dict[int, list[Entry]] = {}
        unread = dict(positions)
        while unread:
            full: dict[int, int] = {}
            for number, rows in await self._read(unread, count, wait):
                entries = found.setdefault(number, [])
                _append_entries(entries, self._keys[number].room(""), rows, positions[number])
                if len(rows) == count and len(entries) < limit:
                    full[number] = entries[-1].counter
            unread, wait = full, 0.0
        return found

    async def range(self, number: int, after: int, limit: int) -> list[Entry]:
        """About `limit` entries of a partition after a position, without waiting."""
        return (await self.read({number: after}, limit, block=0)).get(number, [])

    async def close(self) -> None:
        """Close the connection."""
        self._pipe.close()

    async def _read(
        self, positions: Mapping[int, int], count: int, wait: float
    ) -> list[tuple[int, list[Any]]]:
        streams = {self._keys[number].stream.encode(): number for number in positions}
        after = [f"{counter}-0" for counter in positions.values()]
        block: list[Word] = ["BLOCK", max(1, int(wait * 1000))] if wait else []
        command = pack("XREAD", "COUNT", count, *block, "STREAMS", *streams, *after)
        found: Any = await self._pipe.call(command)
        return [(streams[stream], rows) for stream, rows in found or ()]


class DeadLetters:
    """The dead letters of all partitions: whole entries that wait for an operator."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def add(self, number: int, entry: Entry, reason: str) -> None:
        """Set an entry aside. Its counter is its id here, so repeating the call adds nothing."""
        stream = self._keys[number].dead
        if not await self._client.xrange(stream, f"{entry.counter}-0", f"{entry.counter}-0"):
            fields: dict[str, str | bytes] = {"why": reason}
            if entry.whole_row:
                fields |= {"row": entry.data}
            else:
                fields |= {"r": entry.room_key, "e": entry.data}
            await self._client.xadd(stream, fields, f"{entry.counter}-0")  # type: ignore[arg-type]

    async def all(self) -> list[DeadLetter]:
        """All dead letters, by partition and counter."""
        letters = []
        for part in self._keys.partitions:
            rows: Any = await self._client.xrange(part.dead)
            prefix = part.room("")
            letters += [_read_letter(part.number, place, fields, prefix) for place, fields in rows]
        return letters

    async def remove(self, letter: DeadLetter) -> None:
        """Delete a dead letter, after it was stored."""
        await self._client.xdel(self._keys[letter.partition].dead, letter.entry_id)


def _read_letter(
    number: int, entry_id: bytes, fields: dict[bytes, bytes], prefix: str
) -> DeadLetter:
    counter = counter_in(entry_id)
    if row := fields.get(b"row"):
        entries = entries_of(counter, unpack_row(row), prefix)
    else:
        entries = [Entry(counter, fields[b"r"].decode(), fields[b"e"])]
    return DeadLetter(number, entry_id.decode(), entries, fields[b"why"].decode())


def _append_entries(entries: list[Entry], prefix: str, rows: Sequence[Any], after: int) -> None:
    """Append the events of stream rows that come after `after` and after those in `entries`."""
    for entry_id, words in rows:
        after = entries[-1].counter if entries else after
        found = entries_of(counter_in(entry_id), words, prefix)
        entries += [entry for entry in found if entry.counter > after]
