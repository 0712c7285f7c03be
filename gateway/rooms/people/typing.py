"""Typing notices: published to the room, and withdrawn after a while without another one."""

import asyncio

from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.publisher import Publisher
from shared.model.events import TypingChanged, typing_text
from shared.protocol.limits import TYPING_SECONDS


class TypingStatus:
    """The clients of this gateway that are typing."""

    def __init__(self, publisher: Publisher, quiet_after: float, keys: Keyspace) -> None:
        """Begin with no client typing.

        Args:
            publisher: publishes the notices.
            quiet_after: seconds without an event after which other gateways may have stopped
                following a direct chat.
            keys: channels of the installation.
        """
        self._publisher = publisher
        self._quiet_after = quiet_after
        self._keys = keys
        self._timers: dict[tuple[Client, str], asyncio.TimerHandle] = {}

    def typed(self, client: Client, local: LocalRoom) -> None:
        """Publish that a client is typing; `TYPING_SECONDS` after the last call, that it ended."""
        if timer := self._timers.pop((client, local.channel), None):
            timer.cancel()
        self._publish(client, local, typing_text(client.display_name))
        self._timers[client, local.channel] = asyncio.get_running_loop().call_later(
            TYPING_SECONDS, self.ended, client, local
        )

    def ended(self, client: Client, local: LocalRoom) -> None:
        """Publish that a client no longer types, if it was typing."""
        if timer := self._timers.pop((client, local.channel), None):
            timer.cancel()
            self._publish(client, local, "")

    def _publish(self, client: Client, local: LocalRoom, text: str) -> None:
        room = local.room
        body = TypingChanged(text, client.connection.sid, room.user1, room.user2)
        quiet = asyncio.get_running_loop().time() - local.last_event_at >= self._quiet_after
        # Gateways stop following a quiet chat, so its channel would not reach the other user.
        control = self._keys.of(room.key).control
        channel = control if room.kind == "direct" and quiet else local.channel
        self._publisher.signal(channel, body, room_id=room.id)
