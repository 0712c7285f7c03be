"""Brings what the broker publishes to the hub, and what is no room's to whom it is for."""

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.presence import Presence
from gateway.recovery.store import SessionStore
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.hub import Hub
from shared.broker.partitions.keyspace import Keyspace
from shared.codec import CodecError, decode
from shared.model.events import Committed, GatewayHeartbeat, Notice, Replaced
from shared.telemetry import logger

log = logger(__name__)


class Control:
    """The subscriber's callbacks: everything that is published comes through here."""

    def __init__(
        self,
        hub: Hub,
        follower: ChatFollower,
        durability: Durability,
        sessions: SessionStore,
        heartbeat: HeartbeatMonitor,
        presence: Presence,
        keys: Keyspace,
    ) -> None:
        self._hub = hub
        self._follower = follower
        self._durability = durability
        self._sessions = sessions
        self._heartbeat = heartbeat
        self._presence = presence
        self._everyone = frozenset(part.everyone for part in keys.partitions)

    def receive(self, channel: str, data: bytes) -> None:
        """Take a message of a channel."""
        try:
            event = decode(data)
        except CodecError as error:
            # A newer gateway may say what this one does not know; the room's log keeps it.
            log.warning("event not understood", channel=channel, reason=str(error))
            return
        if self._hub.receive(channel, event):
            return
        if isinstance(event.body, Committed):
            self._durability.committed(event.body)
        elif channel not in self._everyone:
            self._follower.receive(channel, event)  # or its room's last member has just left
        elif isinstance(event.body, Notice):
            self._hub.fan_out.announce(event)
        elif isinstance(event.body, Replaced):
            self._sessions.receive(event.body)
        else:
            if isinstance(event.body, GatewayHeartbeat):
                self._heartbeat.receive(event.body)
            self._presence.receive(event.body)

    def subscribed(self, channel: str) -> None:
        """A channel was subscribed, perhaps afresh."""
        self._follower.subscribed(channel)
        self._hub.subscribed(channel)
