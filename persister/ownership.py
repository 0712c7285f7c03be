"""Taking a partition over: shut others out, and open it in a new epoch where data may be lost."""

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
"""Seconds after which every process that lives has announced itself to a server, or is dead."""


class PartitionOpener:
    """Makes partitions ours, and opens those that the broker holds closed.

    Attributes:
        last: the counter of the last entry of each partition, when it was last looked at.
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
            writer: to SQL.
            broker: where partitions are.
            reader: of their streams.
            legacy: where older builds left what they accepted.
            membership: this process among the living ones.
            write_format: WRITE_FORMAT, if given.
        """
        self._writer = writer
        self._broker = broker
        self._membership = membership
        self._reader = reader
        self._legacy = legacy
        self._newest = min(formats.NEWEST, write_format or formats.NEWEST)
        # The format that a partition is to be opened anew in, and on which server.
        self._planned: dict[int, tuple[str, int]] = {}
        self.last: dict[int, int] = {}

    async def claim(self, number: int) -> Claim:
        """Become a partition's owner in SQL."""
        return await self._writer.claim(number, self._membership.incarnation)

    async def finish_trimming(self, claim: Claim) -> None:
        """Trim what an owner that died stored and could not trim any more."""
        unstored = await self._broker.unstored(claim.number)
        known = await self._writer.known_rooms(unstored) if unstored else []
        await self._broker.committed(claim.number, claim.epoch, claim.position, {}, known)

    async def is_open(self, claim: Claim, all_read: int) -> bool:
        """Whether the broker accepts sends in the claim's epoch, and in the format it should have.

        Args:
            claim: the partition.
            all_read: the newest format that every living process reads; 0 where nobody knows.

        Raises:
            ConfigError: the partition was opened under another PARTITIONS, or in a format that
                this build does not know.
        """
        state = await self._broker.state(claim.number)
        self.last[claim.number] = state.last_counter
        self._planned.pop(claim.number, None)
        if state.epoch != claim.epoch:
            return False
        # Who lives is known once all have had the time to announce themselves: after a failover
        # the server may have heard of nobody yet.
        all_announced = state.age > ANNOUNCE_TIMEOUT_SECONDS and all_read
        if not all_announced or state.written_in == self._format(all_read):
            return True
        self._planned[claim.number] = (state.replid, self._format(all_read))
        return False

    def _format(self, all_read: int) -> int:
        """The format in which a partition should be."""
        return min(self._newest, max(all_read, formats.OLDEST))

    async def close(self, claim: Claim) -> PartitionState:
        """Close a partition, so that nothing is accepted while what survived is stored."""
        if claim.format == formats.LEGACY:
            await self._legacy.close(claim.number)
        await self._broker.close(claim.number)
        return await self._broker.state(claim.number)

    async def surviving_entries(self, claim: Claim, limit: int) -> list[Entry]:
        """About `most` of the entries that the broker has of a closed partition and SQL has not."""
        if claim.format == formats.LEGACY and (
            found := await self._legacy.entries(claim.number, claim.position, limit)
        ):
            return found
        return await self._reader.range(claim.number, claim.position, limit)

    async def open(self, claim: Claim, seen: PartitionState) -> bool:
        """Open a partition in a new epoch, after everything up to `seen.last` was stored.

        Numbering begins above all that may have been given: an epoch gives at most MAX_BACKLOG
        numbers above what SQL has, and that is less than the gap.

        Returns:
            False when the broker moved on meanwhile: close it and look again.
        """
        gap = FENCE_GAP if claim.epoch else 0  # before the first epoch nothing was given
        start = max(claim.position, seen.last_counter) + gap
        previous_format, written_in = claim.format, await self._next_format(claim, seen)
        if claim.format == formats.LEGACY:
            await self._legacy.move(claim.number)
        await self._writer.raise_epoch(claim, start, written_in)
        opened = await self._broker.open(claim.number, claim.epoch, seen, start, written_in)
        if opened == "unread":
            claim.format = formats.OLDEST  # somebody came meanwhile
        elif opened == "moved" and formats.is_known(previous_format):
            claim.format = previous_format  # what was planned was for another server
        return opened == "open"

    async def _next_format(self, claim: Claim, seen: PartitionState) -> int:
        """The format of the next epoch.

        It changes only as planned, from one that is open here: after a failure nobody can say who
        lives, and a process that could not announce itself on the new server may read no more
        than it did.
        """
        if formats.is_known(claim.format):
            planned_on, planned = self._planned.pop(claim.number, ("", claim.format))
            return planned if planned_on == seen.replid else claim.format
        replies = await self._membership.announce()
        return self._format(replies[claim.number].all_read)
