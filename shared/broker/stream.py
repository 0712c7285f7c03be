"""Reading partition streams, and the dead-letter stream beside each.

A row of a stream holds the events that a script call put there together, at most MOST_TOGETHER:
each is a field, the envelope, whose value is the record of its room. The row's id is the counter
of the last of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.broker.client import Client
from shared.broker.keys import PartitionKeys
from shared.broker.pipe import Pipe
from shared.broker.resp import Word, pack

MOST_TOGETHER: Final = 8
"""Events in a row of a stream, as `publish.lua` has it."""


class Entry(msgspec.Struct, frozen=True):
    """An event on its way to SQL.

    Attributes:
        counter: its number in the partition.
        room_key: the room it belongs to.
        data: the envelope, not decoded: it may be what nobody can read.
    """

    counter: int
    room_key: str
    data: bytes


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry that SQL refused.

    Attributes:
        entry_id: its id in the dead-letter stream.
        reason: what SQL said.
    """

    partition: int
    entry_id: str
    counter: int
    room_key: str
    data: bytes
    reason: str


class StreamReader:
    """Reads streams on a connection of its own, because reading blocks."""

    def __init__(self, url: str, block: float = 0.25) -> None:
        """Prepare.

        Args:
            url: the broker's.
            block: seconds to wait for something to read.
        """
        self._pipe = Pipe(url, timeout=block + 5.0)
        self._block = block

    async def read(
        self, positions: Mapping[int, int], most: int, *, block: float | None = None
    ) -> dict[int, list[Entry]]:
        """Wait for entries after these positions.

        Args:
            positions: partition -> the number after which to read.
            most: about as many entries at the most for each partition.
            block: seconds to wait, 0 for not at all; the reader's own unless given.

        Returns:
            Partition -> entries in order; empty when nothing came in time.
        """
        count = max(1, most // MOST_TOGETHER)
        wait = self._block if block is None else block
        found: dict[int, list[Entry]] = {}
        unread = dict(positions)
        while unread:
            full: dict[int, int] = {}
            for number, rows in await self._read(unread, count, wait):
                entries = found.setdefault(number, [])
                _take(entries, number, rows, positions[number])
                if len(rows) == count and len(entries) < most:
                    full[number] = entries[-1].counter
            unread, wait = full, 0.0
        return found

    async def range(self, number: int, after: int, most: int) -> list[Entry]:
        """About `most` entries of a partition after a position, without waiting."""
        return (await self.read({number: after}, most, block=0)).get(number, [])

    async def close(self) -> None:
        """Close the connection."""
        self._pipe.close()

    async def _read(
        self, positions: Mapping[int, int], count: int, wait: float
    ) -> list[tuple[int, list[Any]]]:
        streams = {PartitionKeys(number).stream.encode(): number for number in positions}
        after = [f"{counter}-0" for counter in positions.values()]
        block: list[Word] = ["BLOCK", max(1, int(wait * 1000))] if wait else []
        command = pack("XREAD", "COUNT", count, *block, "STREAMS", *streams, *after)
        found: Any = await self._pipe.call(command)
        return [(streams[stream], rows) for stream, rows in found or ()]


class DeadLetters:
    """The entries that SQL refused, kept for an operator."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def add(self, number: int, entry: Entry, reason: str) -> None:
        """Set an entry aside. Its id is its place in the partition, so adding twice is once."""
        stream = PartitionKeys(number).dead
        if not await self._client.xrange(stream, f"{entry.counter}-0", f"{entry.counter}-0"):
            fields = {"r": entry.room_key, "e": entry.data, "why": reason}
            await self._client.xadd(stream, fields, f"{entry.counter}-0")  # type: ignore[arg-type]

    async def all(self) -> list[DeadLetter]:
        """Every one, by partition and order."""
        letters = []
        for number in range(self._partitions):
            rows: Any = await self._client.xrange(PartitionKeys(number).dead)
            letters += [_letter(number, *row) for row in rows]
        return letters

    async def remove(self, letter: DeadLetter) -> None:
        """Forget one, after it was stored."""
        await self._client.xdel(PartitionKeys(letter.partition).dead, letter.entry_id)


def _letter(number: int, entry_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    counter = int(entry_id.partition(b"-")[0])
    key, reason = fields[b"r"].decode(), fields[b"why"].decode()
    return DeadLetter(number, entry_id.decode(), counter, key, fields[b"e"], reason)


def _take(entries: list[Entry], number: int, rows: Sequence[Any], after: int) -> None:
    """Append what rows of a stream hold beyond `after`, and beyond what is there."""
    prefix = PartitionKeys(number).room("")
    for entry_id, fields in rows:
        after = entries[-1].counter if entries else after
        counter = int(entry_id.partition(b"-")[0]) - len(fields) // 2
        for place in range(0, len(fields), 2):
            counter += 1
            if counter > after:
                key = fields[place + 1].decode("utf-8", "replace").removeprefix(prefix)
                entries.append(Entry(counter, key, fields[place]))
