"""History as a fold: stored messages and the log's events become one page, in one order."""

from collections.abc import Iterable

import msgspec

from shared.model.events import Event
from shared.model.log_events import MessagePosted


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as history shows it.

    Attributes:
        prev: the seq of the event before it; 0 for none.
        created_at: milliseconds since 1970.
        deleted: a tombstone keeps its place, and nothing of what it said.
        seen_at: when the other user of a direct chat had seen it, milliseconds since 1970; None
            for not yet.
    """

    id: int
    seq: int
    prev: int
    sender: str
    content: str
    created_at: int
    deleted: bool = False
    seen_at: int | None = None


class Move(msgspec.Struct, frozen=True):
    """A cursor of a direct chat went from `since` to `seq`, at `at` milliseconds since 1970."""

    user: str
    since: int
    seq: int
    at: int

    def covers(self, message: Message) -> bool:
        """Whether this move is the one by which the other user saw a message."""
        return self.user != message.sender and self.since < message.seq <= self.seq


class Changes(msgspec.Struct, frozen=True):
    """What happened to messages that a log may hold.

    Attributes:
        gone: places of messages that were deleted one by one.
        moves: how cursors moved, in order.
    """

    gone: frozenset[int] = frozenset()
    moves: tuple[Move, ...] = ()

    def apply(self, message: Message) -> Message:
        """A message as it is after the changes."""
        if message.seq in self.gone:
            message = msgspec.structs.replace(message, content="", deleted=True)
        if message.seen_at is None:
            at = next((move.at for move in self.moves if move.covers(message)), None)
            if at is not None:
                message = msgspec.structs.replace(message, seen_at=at)
        return message


NO_CHANGES = Changes()


def message_of(event: Event) -> Message | None:
    """The message an event posts, or None where it posts none."""
    if not isinstance(event.body, MessagePosted):
        return None
    return Message(
        id=event.id,
        seq=event.seq,
        prev=event.prev,
        sender=event.body.sender,
        content=event.body.content,
        created_at=event.created_at,
    )


def fold(
    stored: Iterable[Message], events: Iterable[Event], floor: int, changes: Changes = NO_CHANGES
) -> list[Message]:
    """Apply a log to a stored page.

    Args:
        stored: messages from SQL, in any order.
        events: events of the log; where both have a seq, the log's word stands.
        floor: everything up to this seq is deleted.
        changes: what happened to single messages.

    Returns:
        The messages above the floor, oldest first.
    """
    by_seq = {message.seq: message for message in stored}
    for event in events:
        if message := message_of(event):
            by_seq[event.seq] = message
    return [changes.apply(by_seq[seq]) for seq in sorted(by_seq) if seq > floor]


def count_unread(
    events: Iterable[Event], user: str, cursor: int, floor: int, gone: frozenset[int]
) -> int:
    """How many messages of others stand past a cursor in a log, and were not deleted."""
    return sum(
        isinstance(event.body, MessagePosted)
        and event.body.sender != user
        and event.seq > max(cursor, floor)
        and event.seq not in gone
        for event in events
    )
