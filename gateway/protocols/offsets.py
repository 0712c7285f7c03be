"""Offsets: what the last event that a Socket.IO client has says about all that it has.

A client that reconnects names the offset of the last event it got. An offset is the same for all
members of a room, because an event is encoded once for all of them. So it says where its event
stands in its own room, and when its gateway wrote it: what a gateway writes to one client arrives
in the order of the counts, so a client has everything with a lower count.

On the wire: `incarnation.count.room.seq`, the numbers in base 10.
"""

import re
import secrets
from typing import Final

import msgspec

_OFFSET: Final = re.compile(r"([A-Za-z0-9_-]{8})\.(\d{1,16})\.(\d{1,16})\.(\d{1,16})", re.ASCII)


class Offset(msgspec.Struct, frozen=True):
    """A client's offset.

    Attributes:
        incarnation: of the gateway that wrote it, from start to end.
        count: of the offsets that it had given by then.
        room_id: the room or chat of the event.
        seq: the last event of that room that its reader has.
    """

    incarnation: str
    count: int
    room_id: int
    seq: int


class Offsets:
    """The offsets that a gateway gives.

    Attributes:
        incarnation: this gateway's.
        count: given so far.
    """

    __slots__ = ("count", "incarnation")

    def __init__(self) -> None:
        self.incarnation = secrets.token_urlsafe(6)
        self.count = 0

    def next(self, room_id: int, seq: int) -> str:
        """The offset of an event that is about to be written."""
        self.count += 1
        return f"{self.incarnation}.{self.count}.{room_id}.{seq}"


def parse(text: object) -> Offset | None:
    """Read an offset as a client gave it back; None for what is none."""
    found = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    incarnation, *numbers = found.groups()
    return Offset(incarnation, *map(int, numbers))
