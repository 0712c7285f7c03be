"""Reading partition streams, and the dead-letter stream beside each."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.broker.client import Client, connect
from shared.broker.keys import PartitionKeys


class Entry(msgspec.Struct, frozen=True):
    """An entry of a partition's stream.

    Attributes:
        counter: its number; the entry's id is `<counter>-0`.
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
        self._client = connect(url, timeout=block + 5.0)
        self._block = int(block * 1000)

    async def read(
        self, positions: Mapping[int, int], most: int, *, block: float | None = None
    ) -> dict[int, list[Entry]]:
        """Wait for entries after these positions.

        Args:
            positions: partition -> the number after which to read.
            most: entries at the most for each partition.
            block: seconds to wait, at least a millisecond; the reader's own unless given.

        Returns:
            Partition -> entries in order; empty when nothing came in time.
        """
        parts = {PartitionKeys(number).stream.encode(): number for number in positions}
        streams = {
            PartitionKeys(number).stream: f"{counter}-0" for number, counter in positions.items()
        }
        wait = self._block if block is None else max(1, int(block * 1000))
        found: Any = await self._client.xread(streams, count=most, block=wait)  # type: ignore[arg-type]
        return {
            parts[stream]: [_entry(parts[stream], *row) for row in rows] for stream, rows in found
        }

    async def range(self, number: int, after: int, most: int) -> list[Entry]:
        """Entries of a partition after a position, without waiting."""
        stream = PartitionKeys(number).stream
        rows: Any = await self._client.xrange(stream, f"({after}-0", "+", most)
        return [_entry(number, *row) for row in rows]

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


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


def _entry(number: int, entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    part = PartitionKeys(number)
    room_key = part.key_of_room(fields.get(b"r", b"").decode("utf-8", "replace"))
    return Entry(int(entry_id.partition(b"-")[0]), room_key, fields.get(b"e", b""))
