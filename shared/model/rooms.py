"""A room, wherever it was read."""

import msgspec

from shared.model.events import Kind


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room as the broker or SQL has it.

    Attributes:
        head: the last seq given when this was read.
        floor: the seq of the last event that deleted everything before it; 0 for none.
        created_at: milliseconds since 1970.
        user1, user2: whose direct chat it is, as they were named when it was made.
        epoch: of the partition when the broker said this; of the last stored event from SQL.
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

    @property
    def users(self) -> tuple[str, ...]:
        """The two users of a direct chat; nobody for a named room."""
        return (self.user1, self.user2) if self.kind == "direct" else ()

    @property
    def protected(self) -> bool:
        """Whether joining takes a password."""
        return bool(self.password_hash)
