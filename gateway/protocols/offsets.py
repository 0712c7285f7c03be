"""Offsets of events, from which a gateway finds out what a Socket.IO client has received.

A client that reconnects sends the offset of the last event that it got. An offset cannot say how
far the client is in each of its rooms, as an event is encoded once for all members of its room. So
it says two things: the event's `seq` in its room, and how many offsets its gateway had given by
then, the count. A gateway writes to each client in the order of the counts. So a client that has an
event has everything that its gateway wrote to it with a lower count.

An example: a gateway gives message 7 of room A the count 41 and message 3 of room B the count 42. A
client of both rooms that comes back with count 42 has message 7, and one with count 41 may lack
message 3. If 3 overtook 7 in an outbox, a client that got only 3 would come back with count 42 and
never get 7. `Flusher` keeps the order.

On the wire: `incarnation.count.room.seq`, the numbers in base 10. Counts of different incarnations
cannot be compared: each incarnation begins with 0.
"""

import re
import secrets
from typing import Final

import msgspec

_OFFSET: Final = re.compile(r"([A-Za-z0-9_-]{8})\.(\d{1,16})\.(\d{1,16})\.(\d{1,16})", re.ASCII)


class Offset(msgspec.Struct, frozen=True):
    """The offset that a client sends when it comes back.

    Attributes:
        incarnation: of the gateway that wrote the event.
        count: the offsets that this incarnation had given by then, with this one.
        room_id: the id of the event's room or chat.
        seq: the event's seq; of a signal, the last seq of the room before it.
    """

    incarnation: str
    count: int
    room_id: int
    seq: int


class Offsets:
    """The offsets that this gateway gives.

    Attributes:
        incarnation: the name of this run of the gateway.
        count: the number of offsets given so far.
    """

    __slots__ = ("count", "incarnation")

    def __init__(self) -> None:
        self.incarnation = secrets.token_urlsafe(6)
        self.count = 0

    def next(self, room_id: int, seq: int) -> str:
        """Give an offset to an event that is about to be written."""
        self.count += 1
        return f"{self.incarnation}.{self.count}.{room_id}.{seq}"


def parse(text: object) -> Offset | None:
    """Read an offset that a client sent; None if it is not one."""
    found = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    incarnation, *numbers = found.groups()
    return Offset(incarnation, *map(int, numbers))
