"""Changes that an event makes to its room.

An event describes its changes once, in these types. They are applied in three places: the broker's
record of the room (`shared/broker/rooms/records.py`), SQL (`persister/rows.py`), and the room in a
gateway's memory (`shared/model/rooms.py`).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

import msgspec


class OwnSeq(Enum):
    """The type of SEQ."""

    SEQ = "seq"


SEQ: Final = OwnSeq.SEQ
"""The `seq` of the event itself, as a value. It is not known before the event is accepted."""

Value = str | int | Literal[OwnSeq.SEQ]


class Floor(msgspec.Struct, frozen=True):
    """Every message before the event is deleted: the room's floor is the event's `seq`."""


class Gone(msgspec.Struct, frozen=True):
    """The message with this seq is deleted; a tombstone stays."""

    seq: int


class Dropped(msgspec.Struct, frozen=True):
    """The room is deleted with all of its messages."""


class RoomChange(msgspec.Struct, frozen=True):
    """Fields of the room get new values.

    Attributes:
        fields: the new values by field of `RoomState`. If one of them is SEQ, the change is applied
            only if that field has a lower seq: an event that is restored from the dead letters does
            not undo a later one. Example: the password change of seq 10 was set aside, the one of
            seq 20 was stored (`password_seq` 20); restoring seq 10 changes nothing.
        secret: the new values of fields of `Room` that only the broker and SQL store. An event that
            was read from SQL has no value for them, so no reader of a log may apply them.
    """

    fields: Mapping[str, Value]
    secret: Mapping[str, str] = {}


class StandingChange(msgspec.Struct, frozen=True):
    """The standing of a user in the room changes.

    Attributes:
        fields: True, False or SEQ, by column of the table `standings`.
    """

    user: str
    fields: Mapping[str, Value]


Change = Floor | Gone | Dropped | RoomChange | StandingChange


def at(fields: Mapping[str, Value], seq: int) -> dict[str, str | int]:
    """The values of fields with SEQ replaced by the event's seq."""
    return {name: seq if value is SEQ else value for name, value in fields.items()}
