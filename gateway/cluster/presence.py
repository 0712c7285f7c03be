"""Who is online in the cluster: each gateway tells of its users, and everyone adds them up.

A gateway numbers its changes and its beats name the last number, so whoever missed one asks for
the whole state. A gateway whose beats stop is taken for dead by the observer's own monotonic
clock: what the wall clock does changes nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.protocols.announcements import Announcement
from gateway.protocols.payloads import user_out
from gateway.rooms.client import Client
from gateway.rooms.fan_out import FanOut
from shared.broker.rooms.publisher import Publisher
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import (
    Body,
    GatewayHeartbeat,
    PresenceChanged,
    PresenceState,
    PresenceWanted,
)
from shared.telemetry import logger

TICK_SECONDS: Final = 0.2
"""Seconds in which changes are gathered before they are told."""

GATEWAY_TIMEOUT_SECONDS: Final = 6.0
"""Seconds without a beat after which a gateway's users are offline."""

log = logger(__name__)

Partners = Callable[[Collection[str]], Awaitable[dict[str, set[str]]]]
"""Everyone with whom each of some users has a direct chat."""


class ObservedGateway:
    """What this gateway knows of another."""

    def __init__(self) -> None:
        self.version = -1
        self.users: frozenset[str] = frozenset()
        self.heard = 0.0
        self.asked = 0.0


class Presence:
    """The users online here and elsewhere, and what those here are told of it.

    Attributes:
        task: tells, and watches the others. After its end the others take this gateway's users
            for offline when its beats stay out.
    """

    def __init__(
        self,
        fan_out: FanOut,
        heartbeat: HeartbeatMonitor,
        publisher: Publisher,
        partners: Partners,
        limit: int,
    ) -> None:
        """Prepare.

        Args:
            fan_out: where clients are told.
            heartbeat: this gateway's incarnation, and how many connections the cluster has.
            publisher: where changes go.
            partners: looks up who has direct chats with whom.
            limit: connections of the cluster above which one sees one's partners only.
        """
        self._fan_out = fan_out
        self._heartbeat = heartbeat
        self._publisher = publisher
        self._partners = partners
        self._limit = limit
        self._here: defaultdict[str, set[Client]] = defaultdict(set)
        self._published: frozenset[str] = frozenset()
        self._others: defaultdict[str, ObservedGateway] = defaultdict(ObservedGateway)
        self._told: frozenset[str] = frozenset()
        self._seen_by: dict[str, set[str]] = {}
        self._met: set[str] = set()
        self._fresh: set[Client] = set()
        self._state_wanted = False
        self._frozen = False
        self.task = PeriodicTask(self._tick, TICK_SECONDS, "presence", at_once=True)

    @property
    def version(self) -> int:
        """The number of this gateway's last change."""
        return self._heartbeat.presence_version

    @property
    def online(self) -> frozenset[str]:
        """Everyone who is online in the cluster."""
        return frozenset(self._here).union(*(other.users for other in self._others.values()))

    def freeze(self) -> None:
        """Keep everyone here online: this gateway is leaving, and they come back elsewhere."""
        self._frozen = True

    def set_online(self, user: str, client: Client) -> None:
        """A client says that its user is online; it is told who else is."""
        self._here[user].add(client)
        self._fresh.add(client)

    def set_offline(self, user: str, client: Client) -> None:
        """A client has gone, or says that its user is offline."""
        self._fresh.discard(client)
        if user in self._here and not self._frozen:
            self._here[user].discard(client)
            if not self._here[user]:
                del self._here[user]

    def chat_created(self, user1: str, user2: str) -> None:
        """A direct chat was made: where one sees one's partners only, the two see each other."""
        for user, other in ((user1, user2), (user2, user1)):
            if user in self._seen_by and self._is_online(other):
                self._seen_by[user].add(other)
                self._met.add(user)

    def receive(self, body: Body) -> None:
        """Take a signal of presence, or a beat."""
        match body:
            case PresenceWanted(incarnation) if incarnation == self._heartbeat.incarnation:
                self._state_wanted = True
            case GatewayHeartbeat() | PresenceChanged() | PresenceState():
                if body.incarnation != self._heartbeat.incarnation:
                    self._observe(body)

    def _is_online(self, user: str) -> bool:
        return user in self._here or any(user in other.users for other in self._others.values())

    def _observe(self, body: GatewayHeartbeat | PresenceChanged | PresenceState) -> None:
        other = self._others[body.incarnation]
        other.heard = now = asyncio.get_running_loop().time()
        match body:
            case PresenceState(_, version, users) if version >= other.version:
                other.version, other.users = version, frozenset(users)
            case PresenceChanged(_, version, came, left) if version == other.version + 1:
                other.version = version
                other.users = other.users.difference(left).union(came)
            case GatewayHeartbeat(presence=version) | PresenceChanged(version=version):
                if version > other.version and now - other.asked > TICK_SECONDS:
                    other.asked = now
                    self._tell_all(PresenceWanted(body.incarnation))

    async def _tick(self) -> None:
        self._bury_the_dead()
        self._publish_changes()
        if self._state_wanted:
            self._state_wanted = False
            users = sorted(self._published)
            self._tell_all(PresenceState(self._heartbeat.incarnation, self.version, users))
        await self._tell_users()

    def _bury_the_dead(self) -> None:
        now = asyncio.get_running_loop().time()
        for name in [
            n for n, other in self._others.items() if now - other.heard > GATEWAY_TIMEOUT_SECONDS
        ]:
            del self._others[name]

    def _publish_changes(self) -> None:
        now_here = frozenset(self._here)
        came, left = now_here - self._published, self._published - now_here
        if came or left:
            self._published = now_here
            self._heartbeat.presence_version += 1
            self._tell_all(
                PresenceChanged(
                    self._heartbeat.incarnation, self.version, sorted(came), sorted(left)
                )
            )

    def _tell_all(self, body: Body) -> None:
        self._publisher.broadcast(self._heartbeat.incarnation, body)

    async def _tell_users(self) -> None:
        """Send `onlineUsers` to those for whom it changed, and to those who have just come."""
        online = self.online
        changed, self._told = online ^ self._told, online
        fresh, self._fresh = self._fresh, set()
        if self._heartbeat.connections <= self._limit:
            self._seen_by.clear()
            to = self._clients() if changed else fresh
            self._send(to, online)
            return
        try:
            dirty = await self._narrow(changed, online)
        except ChatError as error:
            log.warning("presence not narrowed", code=error.code)
            self._told = self._told ^ changed  # they are told with the next tick
            self._fresh |= fresh
            return
        for user, connections in list(self._here.items()):
            to = connections if user in dirty else connections & fresh
            self._send(to, self._seen_by.get(user, set()))

    async def _narrow(self, changed: frozenset[str], online: frozenset[str]) -> set[str]:
        """Keep up who sees whom, where all seeing all would be too much; who has news."""
        fresh = self._here.keys() - self._seen_by.keys()
        partners = await self._partners(changed | fresh)
        dirty, self._met = self._met, set()
        for user in changed:
            for partner in partners[user] & self._seen_by.keys():
                seen = self._seen_by[partner]
                (seen.add if user in online else seen.discard)(user)
                dirty.add(partner)
        for user in fresh & self._here.keys():
            self._seen_by[user] = (partners[user] | {user}) & online
            dirty.add(user)
        for user in self._seen_by.keys() - self._here.keys():
            del self._seen_by[user]
        return dirty

    def _clients(self) -> set[Client]:
        return {client for here in self._here.values() for client in here}

    def _send(self, to: set[Client], users: frozenset[str] | set[str]) -> None:
        if to:
            shown = sorted(map(user_out, users), key=lambda user: (isinstance(user, str), user))
            self._fan_out.tell(to, [Announcement("onlineUsers", shown)])
