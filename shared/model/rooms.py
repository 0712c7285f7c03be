"""A room, wherever it was read."""

from typing import Final

import msgspec
from msgspec.structs import replace

from shared.model.changes import Change, Floor, RoomChange, StandingChange, at
from shared.model.events import Event, Kind
from shared.model.kinds import LogEvent
from shared.model.standings import NO_STANDINGS, Standings


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """What events of a room's log say of the room beside its floor and who may what.

    A field is a text or a number, and has the default of a new room. It is called the same in the
    room's record in the broker and in SQL's table `rooms`.

    Attributes:
        password_seq: the seq at which the password was changed last; 0 for never.
    """

    password_seq: int = 0


STATE: Final = msgspec.structs.fields(RoomState)
"""Its fields."""


class Room(RoomState, frozen=True, kw_only=True):
    """A room as the broker or SQL has it.

    Attributes:
        head: the last seq given when this was read.
        floor: the seq of the last event that deleted everything before it; 0 for none.
        created_at: milliseconds since 1970.
        user1, user2: whose direct chat it is, as they were named when it was made.
        epoch: of the partition when the broker said this; of the last stored event from SQL.
        standings: who may what. SQL's lists of rooms come without.
    """

    key: str
    id: int
    kind: Kind
    name: str
    password_hash: str
    creator: str
    created_at: int
    head: int
    floor: int
    epoch: int
    user1: str = ""
    user2: str = ""
    standings: Standings = NO_STANDINGS

    @property
    def users(self) -> tuple[str, ...]:
        """The two users of a direct chat; nobody for a named room."""
        return (self.user1, self.user2) if self.kind == "direct" else ()

    @property
    def protected(self) -> bool:
        """Whether joining takes a password."""
        return bool(self.password_hash)

    def after(self, event: Event) -> "Room":
        """The room with what an event of its log changes; its head stays.

        So does the password's hash: events of the past do not have it.
        """
        if not isinstance(event.body, LogEvent):
            return self
        room = self
        for change in event.body.changes():
            room = _changed(room, change, event.seq)
        return room

    def with_state_of(self, newer: "Room") -> "Room":
        """The room with all that events of its log change as a later word on it has that."""
        state = {field.name: getattr(newer, field.name) for field in STATE}
        return replace(self, floor=newer.floor, standings=newer.standings, **state)

    def min_valid_since(self, user: str) -> int:
        """The seq from which on somebody must have been let in, for that to hold now."""
        return max(self.password_seq, self.standings.kicked.get(user, 0))


def _changed(room: Room, change: Change, seq: int) -> Room:
    """The room after a change by the event at `seq`. What is gone with it is no part of a Room."""
    match change:
        case Floor():
            return replace(room, floor=seq)
        case RoomChange(fields):
            return replace(room, **at(fields, seq))
        case StandingChange():
            return replace(room, standings=room.standings.after(change, seq))
        case _:
            return room
