"""A room, wherever it was read."""

import msgspec
from msgspec.structs import replace

from shared.model.events import Event, Kind, PasswordChanged
from shared.model.standings import NO_STANDINGS, Standings


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room as the broker or SQL has it.

    Attributes:
        head: the last seq given when this was read.
        floor: the seq of the last event that deleted everything before it; 0 for none.
        created_at: milliseconds since 1970.
        user1, user2: whose direct chat it is, as they were named when it was made.
        epoch: of the partition when the broker said this; of the last stored event from SQL.
        password_seq: the seq at which the password was changed last; 0 for never.
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
    password_seq: int = 0
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
        """The room with what an event of its log changes of who may what.

        The password's hash stays: events of the past do not have it.
        """
        if isinstance(event.body, PasswordChanged):
            return replace(self, password_seq=event.seq)
        return replace(self, standings=self.standings.after(event.body, event.seq))

    def opened_to(self, user: str) -> int:
        """The seq from which on somebody must have been let in, for that to hold now."""
        return max(self.password_seq, self.standings.kicked.get(user, 0))
