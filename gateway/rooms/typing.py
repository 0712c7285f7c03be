"""Who is typing: told to the room, and taken back when nothing more comes."""

import asyncio

from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.publisher import Publisher
from shared.model.events import TypingChanged
from shared.protocol.limits import TYPING_SECONDS


class TypingStatus:
    """The clients of this gateway that are typing."""

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
        self._ends: dict[tuple[Client, str], asyncio.TimerHandle] = {}

    def typed(self, client: Client, local: LocalRoom) -> None:
        """Tell the others in the room, and that it is over 2.2 s after the last call."""
        if timer := self._ends.pop((client, local.channel), None):
            timer.cancel()
        self._tell(client, local, f"{client.display_name} is typing...")
        self._ends[client, local.channel] = asyncio.get_running_loop().call_later(
            TYPING_SECONDS, self.ended, client, local
        )

    def ended(self, client: Client, local: LocalRoom) -> None:
        """Tell the others that it is over, if it was not yet."""
        if timer := self._ends.pop((client, local.channel), None):
            timer.cancel()
            self._tell(client, local, "")

    def _tell(self, client: Client, local: LocalRoom, text: str) -> None:
        room = local.room
        body = TypingChanged(text, client.connection.sid, room.user1, room.user2)
        quiet = asyncio.get_running_loop().time() - local.last_event_at >= self._quiet_after
        control = self._keys.of(room.key).control
        channel = control if room.kind == "direct" and quiet else local.channel
        self._publisher.signal(channel, body, room_id=room.id)
