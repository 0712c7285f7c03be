"""Ranges of a room's seqs in each of which it is known which messages were deleted.

A deletion is known to the broker first. Until SQL has it, a page from SQL needs the broker's word,
and there may be 100,000 deletions that SQL does not have yet: far too many for one query. So SQL is
asked range by range, each with at most `MAX_GONE_SEQS` deletions.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from shared.broker.rooms.answers import MAX_GONE_SEQS
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
