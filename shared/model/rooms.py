"""A room, as it was read from the broker or from SQL."""

from typing import Final

import msgspec
from msgspec.structs import replace

from shared.model.changes import Change, Floor, RoomChange, StandingChange, at
from shared.model.events import Event, Kind
from shared.model.kinds import LogEvent
from shared.model.standings import NO_STANDINGS, Standings


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a room that events of its log set, beside its floor and standings.

    A field is a text or a number, with the value of a new room as default. It has the same name in
    the room's record in the broker and in SQL's table `rooms`.

    Attributes:
        password_seq: the seq of the last change of the password; 0 for none.
    """

    password_seq: int = 0


STATE: Final = msgspec.structs.fields(RoomState)
"""The fields of RoomState."""


class Room(RoomState, frozen=True, kw_only=True):
    """A room as the broker or SQL has it.

    Attributes:
        head: the last seq at the time this was read.
        floor: the seq of the last event that deleted everything before it; 0 for none. A message
            with a seq up to the floor is never shown, also if a page of SQL or a log still has it.
        created_at: milliseconds since 1970.
        user1, user2: the users of a direct chat, as they were named when it was created.
        epoch: from the broker, the partition's epoch at that time; from SQL, the epoch of the last
            stored event.
        standings: the moderators, bans and kicks. Lists of rooms from SQL come without them.
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
        """The two users of a direct chat; empty for a named room."""
        return (self.user1, self.user2) if self.kind == "direct" else ()

    @property
    def is_notes(self) -> bool:
        """True for the direct chat in which a user keeps notes: both of its users are that one."""
        return self.kind == "direct" and self.user1 == self.user2

    @property
    def protected(self) -> bool:
        """True if joining needs a password."""
        return bool(self.password_hash)

    def after(self, event: Event) -> "Room":
        """The room with the changes of an event of its log applied.

        Its head stays, and so does the password's hash, which events read from SQL do not have.
        """
        if not isinstance(event.body, LogEvent):
            return self
        room = self
        for change in event.body.changes():
            room = _changed(room, change, event.seq)
        return room

    def with_state_of(self, newer: "Room") -> "Room":
        """The room with the floor, standings and state of `newer`, which was read later."""
        state = {field.name: getattr(newer, field.name) for field in STATE}
        return replace(self, floor=newer.floor, standings=newer.standings, **state)

    def banning(self, user: str) -> "Room":
        """The room as it would be if it banned a user."""
        standings = replace(self.standings, banned=self.standings.banned | {user})
        return replace(self, standings=standings)

    def min_valid_since(self, user: str) -> int:
        """The lowest `since` with which a membership or grant of a user is still valid.

        It is the seq of the last change of the password, or of the user's last kick. Example: a
        grant of since 30 is void after a kick at 35, and so is one after a new password at 40.
        """
        return max(self.password_seq, self.standings.kicked.get(user, 0))


def _changed(room: Room, change: Change, seq: int) -> Room:
    """The room after a change by the event `seq`. A Room has no messages that could be deleted."""
    match change:
        case Floor():
            return replace(room, floor=seq)
        case RoomChange(fields):
            return replace(room, **at(fields, seq))
        case StandingChange():
            return replace(room, standings=room.standings.after(change, seq))
        case _:
            return room
