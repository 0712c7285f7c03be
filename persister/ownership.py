"""Taking over a partition, and opening it in a new epoch where the broker may have lost data."""

from typing import Final

from persister.writer import Claim, Writer
from shared.broker.partitions.fence import FENCE_GAP
from shared.broker.partitions.legacy import LegacyBroker
from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import PartitionBroker, PartitionState
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import StreamReader
from shared.model import formats

ANNOUNCE_TIMEOUT_SECONDS: Final = 20.0
"""Seconds after which every running process has announced itself to a new server."""


class PartitionOpener:
    """Claims partitions in SQL, and opens those that are closed in the broker.

    Attributes:
        last: the counter of the last entry of each partition, at its last check.
    """

    def __init__(
        self,
        writer: Writer,
        broker: PartitionBroker,
        reader: StreamReader,
        legacy: LegacyBroker,
        membership: Membership,
        *,
        write_format: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            writer: writes to SQL.
            broker: the commands for partitions.
            reader: reads their streams.
            legacy: reads and moves the data of builds without formats.
            membership: the announcements of this process.
            write_format: WRITE_FORMAT; None if not set.
        """
        self._writer = writer
        self._broker = broker
        self._membership = membership
        self._reader = reader
        self._legacy = legacy
        self._newest = min(formats.NEWEST, write_format or formats.NEWEST)
        # The server (replid) and the format of a planned change, by partition.
        self._planned: dict[int, tuple[str, int]] = {}
        self.last: dict[int, int] = {}

    async def claim(self, number: int) -> Claim:
        """Become the owner of a partition in SQL; earlier owners can no longer write."""
        return await self._writer.claim(number, self._membership.incarnation)

    async def finish_trimming(self, claim: Claim) -> None:
        """Trim what the former owner stored, in case it died before it trimmed that."""
        unstored = await self._broker.unstored(claim.number)
        known = await self._writer.known_rooms(unstored) if unstored else []
        await self._broker.committed(claim.number, claim.epoch, claim.position, {}, known)

    async def is_open(self, claim: Claim, all_read: int) -> bool:
        """Return True if the partition is open in the claim's epoch and needs no other format.

        Args:
            claim: the claim of the partition.
            all_read: the newest format that every running process reads; 0 if unknown.

        Raises:
            ConfigError: the partition was opened under another PARTITIONS, or in a format that
                this build does not know.
        """
        state = await self._broker.state(claim.number)
        self.last[claim.number] = state.last_counter
        self._planned.pop(claim.number, None)
        if state.epoch != claim.epoch:
            return False
        # After a failover the new server may have no announcements yet. A partition that changed
        # its format then could end processes that still run and do not read the new one.
        all_announced = state.age > ANNOUNCE_TIMEOUT_SECONDS and all_read
        if not all_announced or state.written_in == self._format(all_read):
            return True
        self._planned[claim.number] = (state.replid, self._format(all_read))
        return False

    def _format(self, all_read: int) -> int:
        """The format that a partition should have."""
        return min(self._newest, max(all_read, formats.OLDEST))

    async def close(self, claim: Claim) -> PartitionState:
        """Close a partition, so that it accepts nothing while surviving entries are stored."""
        if claim.format == formats.LEGACY:
            await self._legacy.close(claim.number)
        await self._broker.close(claim.number)
        return await self._broker.state(claim.number)

    async def surviving_entries(self, claim: Claim, limit: int) -> list[Entry]:
        """About `limit` entries of a closed partition that SQL does not have."""
        if claim.format == formats.LEGACY and (
            found := await self._legacy.entries(claim.number, claim.position, limit)
        ):
            return found
        return await self._reader.range(claim.number, claim.position, limit)

    async def open(self, claim: Claim, seen: PartitionState) -> bool:
        """Open a partition in a new epoch, after everything up to `seen.last` was stored.

        Numbering begins above all numbers that may have been given. An epoch gives at most
        MAX_BACKLOG numbers above the position in SQL, which is less than the gap. The epoch is
        raised in SQL first: from then on, batches of the old epoch fail, also those of a persister
        that still reads a server that a failover left behind.

        Returns:
            False if the broker's data changed meanwhile: close the partition and begin again.
        """
        gap = FENCE_GAP if claim.epoch else 0  # epoch 0: no number was ever given
        start = max(claim.position, seen.last_counter) + gap
        previous_format, written_in = claim.format, await self._next_format(claim, seen)
        if claim.format == formats.LEGACY:
            await self._legacy.move(claim.number)
        await self._writer.raise_epoch(claim, start, written_in)
        opened = await self._broker.open(claim.number, claim.epoch, seen, start, written_in)
        if opened == "unread":
            claim.format = formats.OLDEST  # a process that reads less has started meanwhile
        elif opened == "moved" and formats.is_known(previous_format):
            claim.format = previous_format  # the plan was for another server
        return opened == "open"

    async def _next_format(self, claim: Claim, seen: PartitionState) -> int:
        """The format of the next epoch.

        It changes only by a plan, which `is_open` makes for a partition that is open on this
        server. After a failure it stays: a running process that could not announce itself on the
        new server yet may not read another format.
        """
        if formats.is_known(claim.format):
            planned_on, planned = self._planned.pop(claim.number, ("", claim.format))
            return planned if planned_on == seen.replid else claim.format
        replies = await self._membership.announce()
        return self._format(replies[claim.number].all_read)
