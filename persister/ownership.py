"""Taking a partition over: shut others out, and open it in a new epoch where data may be lost."""

from persister.writer import Claim, Writer
from shared.broker.partitions import PartitionBroker, PartitionState, check_partitions
from shared.broker.stream import StreamReader
from shared.config import FENCE_GAP


class Opener:
    """Makes partitions ours, and opens those that the broker holds closed.

    Attributes:
        last: the counter of the last entry of each partition, when it was last looked at.
    """

    def __init__(
        self,
        writer: Writer,
        broker: PartitionBroker,
        reader: StreamReader,
        owner: str,
        partitions: int,
    ) -> None:
        self._writer = writer
        self._broker = broker
        self._reader = reader
        self._owner = owner
        self._partitions = partitions
        self.last: dict[int, int] = {}

    async def claim(self, number: int) -> Claim:
        """Become a partition's owner in SQL."""
        return await self._writer.claim(number, self._owner)

    async def tidy(self, claim: Claim) -> None:
        """Trim what an owner that died stored and could not trim any more."""
        unstored = await self._broker.unstored(claim.number)
        known = await self._writer.known_rooms(unstored) if unstored else []
        await self._broker.committed(claim.number, claim.epoch, claim.position, {}, known)

    async def is_open(self, claim: Claim) -> bool:
        """Whether the broker accepts sends in the claim's epoch.

        Raises:
            ConfigError: the partition was opened under another PARTITIONS.
        """
        state = await self._broker.state(claim.number)
        check_partitions(self._partitions, [state])
        self.last[claim.number] = state.last_counter
        return state.epoch == claim.epoch

    async def close(self, claim: Claim) -> PartitionState:
        """Close a partition, so that nothing is accepted while what survived is stored."""
        await self._broker.close(claim.number)
        return await self._broker.state(claim.number)

    async def open(self, claim: Claim, seen: PartitionState) -> bool:
        """Open a partition in a new epoch, after everything up to `seen.last` was stored.

        Numbering begins above all that may have been given: an epoch gives at most MAX_BACKLOG
        numbers above what SQL has, and that is less than the gap.

        Returns:
            False when the broker moved on meanwhile: close it and look again.
        """
        gap = FENCE_GAP if claim.epoch else 0  # before the first epoch nothing was given
        start = max(claim.position, seen.last_counter) + gap
        await self._writer.raise_epoch(claim, start)
        return await self._broker.open(claim.number, claim.epoch, seen, start)
