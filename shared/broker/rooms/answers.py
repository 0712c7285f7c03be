"""What the broker says of a room: held or not, a part of its log, what SQL may not have."""

import msgspec

from shared.model.events import Event
from shared.model.rooms import Room
from shared.model.timeline import Changes


class NotHeld(msgspec.Struct, frozen=True):
    """The broker does not hold the room: everything there is of it is in SQL, as of now.

    Attributes:
        deleted: the room is gone, though SQL may still have it.
    """

    epoch: int
    generation: int
    deleted: bool = False


class HeldRoom(msgspec.Struct, frozen=True):
    """A room that the broker holds, and the seconds since its last event."""

    room: Room
    idle: float


class LogPart(msgspec.Struct, frozen=True):
    """A part of a room's log, oldest first, and where the room stood when it was read."""

    epoch: int
    room_id: int
    head: int
    floor: int
    events: list[Event]
    changes: Changes = Changes()


class Tail(msgspec.Struct, frozen=True):
    """What SQL may not have of a room yet.

    Attributes:
        cursor: how far the user who asks has seen; None where only SQL knows.
        events: events of the log, oldest first.
    """

    room_id: int
    floor: int
    cursor: int | None
    events: list[Event]
    changes: Changes
