"""Knowledge of the deleted messages of a room, so that pages pass over them.

A deletion is known to the broker first. Until SQL has it, a page from SQL needs the broker's word,
and there may be 100,000 deletions that SQL does not have yet: far too many for one query. So SQL is
asked range by range, each with at most `MAX_GONE_SEQS` deletions.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import msgspec

from shared.broker.rooms.answers import MAX_GONE_SEQS, MessagePart
from shared.broker.rooms.logs import Direction

ReadGone = Callable[[Direction, int, int], Awaitable[Sequence[int]]]
"""Reads the first deleted seqs from the lowest to the highest of a range, in a direction."""


class Range(msgspec.Struct, frozen=True):
    """The seqs with `after` < seq < `below`, and those of them whose messages were deleted."""

    after: int
    below: int
    gone: frozenset[int]


async def ranges(
    direction: Direction, after: int, below: int, gone: Sequence[int], read: ReadGone
) -> AsyncIterator[Range]:
    """Divide the seqs with `after` < seq < `below`, in a direction.

    The deletions of a range are read before it is given, and SQL is to be read after that. In the
    other order a deleted message would be shown, whose deletion is stored between the two reads and
    leaves the broker then.

    Args:
        direction: `forward` gives the lowest range first, `backward` the highest.
        after: lower end.
        below: upper end.
        gone: the first deleted seqs, at most `MAX_GONE_SEQS`, in that direction.
        read: reads further ones.
    """
    while after + 1 < below:
        is_last = len(gone) < MAX_GONE_SEQS
        if direction == "forward":
            end = below if is_last else gone[-1] + 1
            yield Range(after, end, frozenset(gone))
            after = end - 1
        else:
            end = after if is_last else gone[-1] - 1
            yield Range(end, below, frozenset(gone))
            below = end + 1
        if is_last:
            return
        gone = await read(direction, after + 1, below - 1)


class Run(msgspec.Struct, frozen=True):
    """Entries of a log in a row of which none is a message that is left.

    Attributes:
        low: the seq of the first entry.
        high: the seq of the last entry.
        prev: the seq of the event before the first entry.
    """

    low: int
    high: int
    prev: int

    def joined(self, other: "Run") -> "Run | None":
        """Return both as one where they touch or overlap; else None."""
        first, second = sorted((self, other), key=lambda run: run.low)
        if second.low > first.high and second.prev != first.high:
            return None
        return Run(first.low, max(first.high, second.high), first.prev)


class DeletedRuns:
    """Long rows of deleted messages that were met in logs, so that the next page passes over them.

    Without it, each join of a room whose log ends with 100,000 deleted messages would make the
    broker look at all of them again. What was deleted stays so within an epoch. A new epoch may
    lack deletions that were accepted before, so a run is remembered for its own only.
    """

    MAX_ROOMS: Final = 1000

    def __init__(self) -> None:
        self._runs: OrderedDict[tuple[int, int], list[Run]] = OrderedDict()

    def note(self, part: MessagePart) -> None:
        """Remember a part of a log that was read to its limit, if no message of it is left."""
        is_run = part.more and all(event.seq in part.changes.gone for event in part.events)
        if not part.first or not is_run:
            return
        ends = (part.first, part.first_prev), (part.last, part.last_prev)
        (low, prev), (high, _) = sorted(ends)
        run, apart = Run(low, high, prev), list[Run]()
        for other in self._runs.pop((part.room_id, part.epoch), []):
            if (both := run.joined(other)) is not None:
                run = both
            else:
                apart.append(other)
        self._runs[part.room_id, part.epoch] = [*apart, run]
        if len(self._runs) > self.MAX_ROOMS:
            self._runs.popitem(last=False)

    def at(self, part: MessagePart, seq: int) -> Run | None:
        """Return the run that a seq of the log of `part` is in; None if it is in none."""
        runs = self._runs.get((part.room_id, part.epoch), [])
        return next((run for run in runs if run.low <= seq <= run.high), None)
