"""What a process has seen of each partition's epoch and format, on whatever server.

After a failover the old server may go on serving whoever is still connected to it. It has not heard
of the new epoch, so nothing in it says that it was left behind; whoever has seen the new epoch
elsewhere knows. Every script call therefore names the latest epoch that its process has seen, and a
server below that answers as if the partition were closed.
"""

from typing import Final

from shared.config import MAX_BACKLOG_LIMIT
from shared.model import formats

FENCE_GAP: Final = MAX_BACKLOG_LIMIT + 1
"""How far numbers jump when a partition opens in a new epoch: more than can be unstored.

It is the same whatever MAX_BACKLOG is set to: else numbers could run back when that is lowered.
"""


class Fence:
    """The latest epoch of each partition, and the format it is written in."""

    def __init__(self, partitions: int) -> None:
        self._epochs = [0] * partitions
        self._formats = [formats.NEVER_OPENED] * partitions

    def epoch(self, number: int) -> int:
        """The latest epoch seen of a partition; 0 before the first."""
        return self._epochs[number]

    def format(self, number: int) -> int:
        """The format that what is sent to a partition is to be encoded in."""
        return self._formats[number] or formats.OLDEST

    @property
    def signals(self) -> int:
        """The format of what is told to all: every living process reads it."""
        return min(filter(None, self._formats), default=formats.OLDEST)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The latest epoch seen of each partition."""
        return tuple(self._epochs)

    def has_newer_epoch_than(self, epochs: tuple[int, ...]) -> bool:
        """Whether a later epoch of a partition was seen than the one known then."""
        return any(now > then for then, now in zip(epochs, self._epochs, strict=True))

    def note_epoch(self, number: int, epoch: int) -> None:
        """Take note of an epoch, as the broker or SQL has it."""
        self._epochs[number] = max(self._epochs[number], epoch)

    def note_open(self, number: int, epoch: int, written_in: int) -> None:
        """Take note of an open partition; of an epoch that was left behind, nothing is new."""
        if epoch >= self._epochs[number]:
            self._epochs[number], self._formats[number] = epoch, written_in
