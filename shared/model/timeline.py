"""History as a fold: stored messages and the log's events become one page, in one order."""

from collections.abc import Iterable

import msgspec

from shared.model.events import Event, MessagePosted


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as history shows it.

    Attributes:
        prev: the seq of the event before it; 0 for none.
        created_at: milliseconds since 1970.
        deleted: a tombstone keeps its place, and nothing of what it said.
    """

    id: int
    seq: int
    prev: int
    sender: str
    content: str
    created_at: int
    deleted: bool = False


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


def fold(stored: Iterable[Message], events: Iterable[Event], floor: int) -> list[Message]:
    """Apply a log to a stored page.

    Args:
        stored: messages from SQL, in any order.
        events: events of the log; where both have a seq, the log's word stands.
        floor: everything up to this seq is deleted.

    Returns:
        The messages above the floor, oldest first.
    """
    by_seq = {message.seq: message for message in stored}
    for event in events:
        if message := message_of(event):
            by_seq[event.seq] = message
    return [by_seq[seq] for seq in sorted(by_seq) if seq > floor]
