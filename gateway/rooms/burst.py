"""Events of one room that follow each other in a turn of the event loop, for the same members.

Each is encoded once and kept; members get all of them in one step when something else is written,
or the turn ends. So what an event costs for each member is paid once for all events of the burst.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from gateway.connections.connection import MOST_WRITE, Connection
from gateway.protocols.announcements import Announcement
from gateway.protocols.frames import Format
from gateway.rooms.local_room import LocalRoom
from shared.metrics import Counter

DELIVERIES: Final = Counter("deliveries", "Events put into outboxes: one for each client told.")


class Burst:
    """What waits for a room's members.

    Attributes:
        local: the room.
    """

    __slots__ = ("_frames", "_members", "local")

    def __init__(self, local: LocalRoom, members: Iterable[Connection]) -> None:
        """Begin, before the room's head moves.

        Args:
            local: the room.
            members: all of its members; whoever comes or goes ends the burst first.
        """
        self.local = local
        local.handed_out = local.head
        self._members: defaultdict[Format, list[Connection]] = defaultdict(list)
        for connection in members:
            self._members[connection.wire].append(connection)
        self._frames: dict[Format, list[bytes]] = {wire: [] for wire in self._members}

    def add(self, told: Iterable[Announcement]) -> None:
        """Keep what they are to be told."""
        for item in told:
            outgoing = item.outgoing()
            for wire, frames in self._frames.items():
                frames.append(wire.pack(outgoing, item.offset))

    def hand_out(self) -> None:
        """Put all of it into every member's outbox."""
        for wire, members in self._members.items():
            frames = self._frames[wire]
            size = sum(map(len, frames))
            DELIVERIES.value += len(members) * len(frames)
            if size <= MOST_WRITE:
                frames = [b"".join(frames)]  # once for all, not by each connection
            for connection in members:
                connection.push_all(frames, size)
        self.local.handed_out = None
