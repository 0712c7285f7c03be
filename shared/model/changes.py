"""What an event of a room's log changes, said once.

The broker's record of the room (`shared/broker/rooms/records.py`), SQL (`persister/rows.py`) and
the room as gateways know it (`shared/model/rooms.py`) follow what stands here.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

import msgspec


class OwnSeq(Enum):
    """The type of SEQ."""

    SEQ = "seq"


SEQ: Final = OwnSeq.SEQ
"""A value: the `seq` of the event itself. Whoever makes the event does not know it yet."""

Value = str | int | Literal[OwnSeq.SEQ]


class Floor(msgspec.Struct, frozen=True):
    """Every message before the event is deleted: the room's floor is the event's `seq`."""


class Gone(msgspec.Struct, frozen=True):
    """The message at a place of the room is deleted; its place keeps a tombstone."""

    seq: int


class Dropped(msgspec.Struct, frozen=True):
    """The room is gone with all it held."""


class RoomChange(msgspec.Struct, frozen=True):
    """Fields of the room have other values from here on.

    Attributes:
        fields: by name in `RoomState`. Where one of them is SEQ, an event that is stored late
            does not undo what a later one did.
        secret: the same of what only the broker and SQL have, by name in `Room`: an event that was
            read from SQL does not say it any more, so nothing that reads a log can follow it.
    """

    fields: Mapping[str, Value]
    secret: Mapping[str, str] = {}


class StandingChange(msgspec.Struct, frozen=True):
    """What the room remembers of a user is something else from here on.

    Attributes:
        fields: by the names of the columns of `standings`: True, False or SEQ.
    """

    user: str
    fields: Mapping[str, Value]


Change = Floor | Gone | Dropped | RoomChange | StandingChange


def at(fields: Mapping[str, Value], seq: int) -> dict[str, str | int]:
    """The values of fields, once the place of the event is known."""
    return {name: seq if value is SEQ else value for name, value in fields.items()}
