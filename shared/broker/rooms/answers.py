"""The broker's answers about a room: held or not, a part of its log, its tail."""

from collections.abc import Sequence
from typing import Final

import msgspec

from shared.model.events import Event
from shared.model.rooms import Room
from shared.model.timeline import Changes, Move

MAX_GONE_SEQS: Final = 1000
"""Seqs of deleted messages in one answer."""


class NotHeld(msgspec.Struct, frozen=True):
    """The broker does not hold the room: if the room exists, all of it is in SQL.

    Attributes:
        epoch: the partition's epoch at the time of this answer.
        generation: the partition's generation at that time. Opening or creating the room passes
            both back, and fails if either has changed since.
        deleted: the room was deleted, though SQL may still have it.
    """

    epoch: int
    generation: int
    deleted: bool = False


class HeldRoom(msgspec.Struct, frozen=True):
    """A room that the broker holds, and the seconds since its last event."""

    room: Room
    idle: float


class LogPart(msgspec.Struct, frozen=True):
    """A part of a room's log, oldest first, with the room's head and floor at that time.

    Attributes:
        gone: the seqs of messages that were deleted one by one, from the lowest seq that was asked
            for up to the last event.
        gone_up_to: the seq up to which `gone` is complete; None if it is so up to the last event.
            Then it ends below the first event: too many messages were deleted there.
    """

    epoch: int
    room_id: int
    head: int
    floor: int
    events: list[Event]
    gone: frozenset[int]
    gone_up_to: int | None


class MessagePart(msgspec.Struct, frozen=True):
    """Messages of a part of a room's log, with the room's head and floor at that time.

    Attributes:
        events: the messages, in the direction of reading.
        changes: their deletions, and moves of cursors.
        first: the seq of the first entry that was looked at, message or not; 0 for none.
        first_prev: the seq of the event before that one.
        last: the seq of the last entry that was looked at; 0 for none.
        last_prev: the seq of the event before that one.
        more: True if the log may have more of the range that was asked for.
        gone_beside: seqs of messages that were deleted one by one in the part of the range that the
            log does not reach, in the direction of reading; at most `MAX_GONE_SEQS`.
    """

    epoch: int
    room_id: int
    head: int
    floor: int
    events: Sequence[Event] = ()
    changes: Changes = Changes()
    first: int = 0
    first_prev: int = 0
    last: int = 0
    last_prev: int = 0
    more: bool = False
    gone_beside: Sequence[int] = ()


class Tail(msgspec.Struct, frozen=True):
    """The tail of a chat: what SQL may not have yet.

    Read the tail before SQL. In the other order a message can be missed: SQL is read up to seq 40,
    then 41 is stored and its position moves, and the tail, read after that, begins at 42.

    Attributes:
        cursor: the user's cursor; None where only SQL has it.
        unread: seqs of the other user's messages in the tail that are past the cursor, as far as it
            is known here, and not deleted.
        last: the last message of the tail that is not deleted; None for none.
        below: the seq of the first event of the tail; `TOP` for an empty tail.
        gone_below: seqs of messages below the tail that were deleted one by one, the highest first;
            at most `MAX_GONE_SEQS`.
    """

    room_id: int
    floor: int
    cursor: int | None
    unread: Sequence[int]
    last: Event | None
    below: int
    gone_below: Sequence[int]
    moves: tuple[Move, ...]
