"""The latest epoch and format of each partition that this process has seen, on any server.

After a failover the old server may go on serving the processes that are still connected to it.
Nothing in its data says that it was left behind, because the new epoch began on another server.
Every script call therefore names the latest epoch that its process has seen, and a server with an
older epoch answers as if the partition were closed.

Example: partition 3 is open in epoch 7 on server A. A fails, B is promoted, and the owner opens
epoch 8 on B. A comes back and still says "epoch 7, open". A gateway that has seen epoch 8 sends 8
with its call, and A refuses. Without that, A would accept a message that is in no stream of B, and
number it with a seq that B gives to another message.
"""

from typing import Final

from shared.config import MAX_BACKLOG_LIMIT
from shared.model import formats

FENCE_GAP: Final = MAX_BACKLOG_LIMIT + 1
"""Distance between the last stored number of an epoch and the first number of the next one.

It is larger than any backlog, so a new epoch never gives a number that a lost event of the old one
had. It does not depend on MAX_BACKLOG. Suppose that SQL has position 1,000 and an epoch with
MAX_BACKLOG=200,000 accepted up to 150,000, which are lost. If the gap were the setting, and the
setting were lowered to 100,000 before the restart, numbering would go on at 101,000: clients would
see the ids of messages that they already have on other messages.
"""


class Fence:
    """The latest epoch of each partition that was seen, and the format of that epoch."""

    def __init__(self, partitions: int) -> None:
        self._epochs = [0] * partitions
        self._formats = [formats.NEVER_OPENED] * partitions

    def epoch(self, number: int) -> int:
        """The latest epoch seen of a partition; 0 before the first."""
        return self._epochs[number]

    def format(self, number: int) -> int:
        """The format in which events for a partition must be encoded."""
        return self._formats[number] or formats.OLDEST

    @property
    def signals(self) -> int:
        """The format of signals to all gateways: one that every running process reads."""
        return min(filter(None, self._formats), default=formats.OLDEST)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The latest epoch seen of each partition."""
        return tuple(self._epochs)

    def has_newer_epoch_than(self, epochs: tuple[int, ...]) -> bool:
        """Return True if some partition has moved past the epoch that `epochs` has for it."""
        return any(now > then for then, now in zip(epochs, self._epochs, strict=True))

    def note_epoch(self, number: int, epoch: int) -> None:
        """Note an epoch that the broker or SQL has. An older one than was seen is ignored."""
        self._epochs[number] = max(self._epochs[number], epoch)

    def note_open(self, number: int, epoch: int, written_in: int) -> None:
        """Note the epoch and format of an open partition. An older epoch is ignored."""
        if epoch >= self._epochs[number]:
            self._epochs[number], self._formats[number] = epoch, written_in
