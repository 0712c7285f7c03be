"""Dispatch of everything that the broker publishes: to the hub, presence, durability, recovery."""

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.presence import Presence
from gateway.recovery.store import SessionStore
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.hub import Hub
from shared.broker.partitions.keyspace import Keyspace
from shared.codec import CodecError, decode
from shared.model.events import BanLifted, Committed, GatewayHeartbeat, Notice, Replaced
from shared.telemetry import logger

log = logger(__name__)


class Control:
    """The callbacks of the subscriber; all published messages come through here."""

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
        """Decode a message of a channel, and pass it to the part of the gateway that it is for."""
        try:
            event = decode(data)
        except CodecError as error:
            # A newer build may publish what this one cannot decode. Nothing is lost: an event of a
            # room stays in the room's log.
            log.warning("cannot decode an event", channel=channel, reason=str(error))
            return
        if self._hub.receive(channel, event):
            return
        if isinstance(event.body, Committed):
            self._durability.committed(event.body)
        elif channel not in self._everyone:
            # Of a control channel, or of a room that this gateway has just stopped following.
            self._follower.receive(channel, event)
        elif isinstance(event.body, Notice):
            self._hub.fan_out.announce(event)
        elif isinstance(event.body, BanLifted):
            self._hub.fan_out.ban_lifted(event.body)
        elif isinstance(event.body, Replaced):
            self._sessions.receive(event.body)
        else:
            if isinstance(event.body, GatewayHeartbeat):
                self._heartbeat.receive(event.body)
            self._presence.receive(event.body)

    def subscribed(self, channel: str) -> None:
        """Handle that a channel was subscribed, for the first time or again."""
        self._follower.subscribed(channel)
        self._hub.subscribed(channel)
