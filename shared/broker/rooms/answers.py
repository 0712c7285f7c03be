"""The broker's answers about a room: held or not, a part of its log, its tail."""

import msgspec

from shared.model.events import Event
from shared.model.rooms import Room
from shared.model.timeline import Changes


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
    """A part of a room's log, oldest first, with the room's head and floor at that time."""

    epoch: int
    room_id: int
    head: int
    floor: int
    events: list[Event]
    changes: Changes = Changes()


class Tail(msgspec.Struct, frozen=True):
    """The tail of a room: what SQL may not have yet.

    Read the tail before SQL. In the other order a message can be missed: SQL is read up to seq 40,
    then 41 is stored and its position moves, and the tail, read after that, begins at 42.

    Attributes:
        cursor: the user's cursor; None where only SQL has it.
        events: events of the log, oldest first.
    """

    room_id: int
    floor: int
    cursor: int | None
    events: list[Event]
    changes: Changes
