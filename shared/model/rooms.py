"""A room, wherever it was read."""

import msgspec

from shared.model.events import Kind


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room as the broker or SQL has it.

    Attributes:
        head: the last seq given when this was read.
        floor: the seq of the last event that deleted everything before it; 0 for none.
        created_at: milliseconds since 1970.
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

    @property
    def protected(self) -> bool:
        """Whether joining takes a password."""
        return bool(self.password_hash)
