"""Who is typing: told to the room, and taken back when nothing more comes."""

import asyncio
from typing import Final

from gateway.connections.connection import Connection
from gateway.rooms.local_room import LocalRoom
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.publisher import Publisher
from shared.model.events import TypingChanged

ENDS_AFTER: Final = 2.2
"""Seconds after the last sign of typing at which it is over."""


class TypingStatus:
    """The connections of this gateway that are typing."""

    def __init__(self, publisher: Publisher, quiet_after: float, keys: Keyspace) -> None:
        """Prepare.

        Args:
            publisher: where it is told.
            quiet_after: seconds without an event after which other gateways may not follow a
                direct chat any more.
            keys: of the installation.
        """
        self._publisher = publisher
        self._quiet_after = quiet_after
        self._keys = keys
        self._ends: dict[tuple[Connection, str], asyncio.TimerHandle] = {}

    def typed(self, connection: Connection, local: LocalRoom) -> None:
        """Tell the others in the room, and that it is over 2.2 s after the last call."""
        if timer := self._ends.pop((connection, local.channel), None):
            timer.cancel()
        self._tell(connection, local, f"{connection.display_name} is typing...")
        self._ends[connection, local.channel] = asyncio.get_running_loop().call_later(
            ENDS_AFTER, self.ended, connection, local
        )

    def ended(self, connection: Connection, local: LocalRoom) -> None:
        """Tell the others that it is over, if it was not yet."""
        if timer := self._ends.pop((connection, local.channel), None):
            timer.cancel()
            self._tell(connection, local, "")

    def _tell(self, connection: Connection, local: LocalRoom, text: str) -> None:
        room = local.room
        body = TypingChanged(text, connection.sid, room.user1, room.user2)
        quiet = asyncio.get_running_loop().time() - local.active >= self._quiet_after
        control = self._keys.of(room.key).control
        channel = control if room.kind == "direct" and quiet else local.channel
        self._publisher.signal(channel, body, room_id=room.id)
