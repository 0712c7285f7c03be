"""Pages of history: stored messages and events of the log, merged in the order of their seqs."""

from collections.abc import Iterable

import msgspec

from shared.model.events import Event
from shared.model.log_events import MessagePosted


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a page of history.

    Attributes:
        prev: the seq of the event before it; 0 for none.
        created_at: milliseconds since 1970.
        deleted: True for a tombstone, which has no content.
        seen_at: the time at which the other user of a direct chat saw it, milliseconds since 1970;
            None if not yet.
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
    """A move of a cursor in a direct chat from `since` to `seq`, at `at` ms since 1970."""

    user: str
    since: int
    seq: int
    at: int

    def covers(self, message: Message) -> bool:
        """Return True if by this move the other user saw the message."""
        return self.user != message.sender and self.since < message.seq <= self.seq


class Changes(msgspec.Struct, frozen=True):
    """Changes of messages that a log may still hold.

    Attributes:
        gone: seqs of messages that were deleted one by one.
        moves: cursor moves, in order.
    """

    gone: frozenset[int] = frozenset()
    moves: tuple[Move, ...] = ()

    def apply(self, message: Message) -> Message:
        """Apply the changes to a message."""
        if message.seq in self.gone:
            message = msgspec.structs.replace(message, content="", deleted=True)
        if message.seen_at is None:
            at = next((move.at for move in self.moves if move.covers(message)), None)
            if at is not None:
                message = msgspec.structs.replace(message, seen_at=at)
        return message


NO_CHANGES = Changes()


def message_of(event: Event) -> Message | None:
    """The message of an event; None if the event is not a message."""
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
    """Merge a page from SQL with events of the log.

    Args:
        stored: messages from SQL, in any order.
        events: events of the log; if both have a message, the log's is taken.
        floor: messages up to this seq are deleted.
        changes: changes of single messages.

    Returns:
        The messages above the floor, oldest first.
    """
    by_seq = {message.seq: message for message in stored}
    for event in events:
        if message := message_of(event):
            by_seq[event.seq] = message
    return [changes.apply(by_seq[seq]) for seq in sorted(by_seq) if seq > floor]
