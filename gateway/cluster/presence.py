"""Presence: the users that are online in the cluster, as the sum of all gateways' users.

A gateway publishes changes of its users with a number (version), and its heartbeats carry the last
number. A gateway that missed a change asks for the whole state. A gateway whose heartbeats stop is
removed by each observer's own monotonic clock, so jumps of the wall clock change nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import msgspec

from gateway.cluster.heartbeat import GATEWAY_TIMEOUT_SECONDS, HeartbeatMonitor
from gateway.protocols.announcements import Announcement
from gateway.protocols.item_writer import ItemWriter
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
"""Seconds for which changes are collected before they are published and sent to clients."""

LIST_BYTES_PER_SECOND: Final = 4 * 2**20
"""Bytes of `onlineUsers` that changes cost a gateway in the long run. Each change is told to all:
without a rate, one user who goes on and off would have all lists sent in each tick."""

MAX_COLLECTING_SECONDS: Final = 1.0
"""Seconds for which changes are collected at most, however long the lists. Who leaves is to be
gone for everybody within 2 s."""

log = logger(__name__)

Partners = Callable[[Collection[str]], Awaitable[dict[str, set[str]]]]
"""Looks up, by user, all users with whom each of some users has a direct chat."""


class ObservedGateway:
    """The users of another gateway, as far as this one knows.

    Attributes:
        version: number of the last change that is in `users`; -1 before the first state.
        seen_at: time of the last signal of the gateway, by the event loop's clock.
        asked_at: time at which its whole state was last asked for.
    """

    def __init__(self) -> None:
        self.version = -1
        self.users: frozenset[str] = frozenset()
        self.seen_at = 0.0
        self.asked_at = 0.0


class Presence:
    """Keeps the users that are online here and on other gateways, and sends `onlineUsers`.

    Attributes:
        task: publishes changes, sends them to clients, and removes silent gateways. After it is
            closed, other gateways take this one's users for offline once its heartbeats stop.
    """

    def __init__(
        self,
        fan_out: FanOut,
        heartbeat: HeartbeatMonitor,
        publisher: Publisher,
        partners: Partners,
        limit: int,
        max_bytes: int,
    ) -> None:
        """Begin with nobody online.

        Args:
            fan_out: sends to clients.
            heartbeat: knows this gateway's incarnation and the cluster's number of connections.
            publisher: publishes changes.
            partners: looks up the chat partners of users.
            limit: number of connections of the cluster above which users see their chat partners
                only.
            max_bytes: bytes of an `onlineUsers`. Where all users online have more, too, users see
                their chat partners only, and of these as many as fit.
        """
        self._fan_out = fan_out
        self._heartbeat = heartbeat
        self._publisher = publisher
        self._partners = partners
        self._limit = limit
        self._max_bytes = max_bytes
        self._all_fit = True  # into one `onlineUsers`
        # The clients of each user that is online here.
        self._here: defaultdict[str, set[Client]] = defaultdict(set)
        # The users that the other gateways were told of.
        self._published: frozenset[str] = frozenset()
        self._others: defaultdict[str, ObservedGateway] = defaultdict(ObservedGateway)
        # The users that clients here were told of.
        self._announced: frozenset[str] = frozenset()
        # Above `limit`: the partners that each user here sees as online.
        self._visible: dict[str, set[str]] = {}
        self._with_new_chat: set[str] = set()
        # Clients that came online since the last tick.
        self._new_clients: set[Client] = set()
        # The time at which changes are sent again, by the event loop's clock.
        self._changes_at = 0.0
        self._state_wanted = False
        self._frozen = False
        self.task = PeriodicTask(self._tick, TICK_SECONDS, "presence", at_once=True)

    @property
    def version(self) -> int:
        """Number of this gateway's last change."""
        return self._heartbeat.presence_version

    @property
    def online(self) -> frozenset[str]:
        """All users that are online in the cluster."""
        return frozenset(self._here).union(*(other.users for other in self._others.values()))

    def freeze(self) -> None:
        """Keep all users here online during a drain, as they connect again elsewhere."""
        self._frozen = True

    def set_online(self, user: str, client: Client) -> None:
        """Show a client's user as online, and send the client `onlineUsers`."""
        self._here[user].add(client)
        self._new_clients.add(client)

    def set_offline(self, user: str, client: Client) -> None:
        """Show a user as offline, unless another client of the user is online."""
        self._new_clients.discard(client)
        if user in self._here and not self._frozen:
            self._here[user].discard(client)
            if not self._here[user]:
                del self._here[user]

    def chat_created(self, user1: str, user2: str) -> None:
        """Let the users of a new chat see each other, where users see their partners only."""
        for user, other in ((user1, user2), (user2, user1)):
            if user in self._visible and self._is_online(other):
                self._visible[user].add(other)
                self._with_new_chat.add(user)

    def receive(self, body: Body) -> None:
        """Handle a signal of presence, or a heartbeat."""
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
        other.seen_at = now = asyncio.get_running_loop().time()
        match body:
            case PresenceState(_, version, users) if version >= other.version:
                other.version, other.users = version, frozenset(users)
            # Only the next version. Example: version 4 (Ann online) is known, 5 (Ann offline) is
            # lost, and 6 (Bob online) comes. Applied, it would hide that 5 is missing, and Ann
            # would stay online for ever. So 6 falls through, and the whole state is asked for.
            case PresenceChanged(_, version, connected, left) if version == other.version + 1:
                other.version = version
                other.users = other.users.difference(left).union(connected)
            case GatewayHeartbeat(presence=version) | PresenceChanged(version=version):
                if version > other.version and now - other.asked_at > TICK_SECONDS:
                    other.asked_at = now
                    self._publish(PresenceWanted(body.incarnation))

    async def _tick(self) -> None:
        self._remove_silent_gateways()
        self._publish_changes()
        if self._state_wanted:
            self._state_wanted = False
            users = sorted(self._published)
            self._publish(PresenceState(self._heartbeat.incarnation, self.version, users))
        await self._send_changes()

    def _remove_silent_gateways(self) -> None:
        if not self._heartbeat.may_judge:
            return
        oldest = asyncio.get_running_loop().time() - GATEWAY_TIMEOUT_SECONDS
        for name in [name for name, other in self._others.items() if other.seen_at < oldest]:
            del self._others[name]

    def _publish_changes(self) -> None:
        now_here = frozenset(self._here)
        connected, left = now_here - self._published, self._published - now_here
        if connected or left:
            self._published = now_here
            self._heartbeat.presence_version += 1
            self._publish(
                PresenceChanged(
                    self._heartbeat.incarnation, self.version, sorted(connected), sorted(left)
                )
            )

    def _publish(self, body: Body) -> None:
        self._publisher.broadcast(self._heartbeat.incarnation, body)

    async def _send_changes(self) -> None:
        """Send `onlineUsers` to clients for which it changed, and to clients that are new."""
        online, changed = self.online, frozenset[str]()
        if asyncio.get_running_loop().time() >= self._changes_at:
            changed, self._announced = online ^ self._announced, online
        new_clients, self._new_clients = self._new_clients, set()
        if changed:
            self._all_fit = len(msgspec.json.encode(list(map(user_out, online)))) <= self._max_bytes
        if self._heartbeat.connections <= self._limit and self._all_fit:
            self._visible.clear()
            to = self._clients() if changed else new_clients
            self._collect(changed, self._send(to, online))
            return
        try:
            affected = await self._update_visible(changed, online)
        except ChatError as error:
            log.warning("cannot look up the partners of users, will retry", code=error.code)
            self._announced = self._announced ^ changed  # so that the next tick sends the changes
            self._new_clients |= new_clients
            return
        sent = 0
        for user, clients in list(self._here.items()):
            to = clients if user in affected else clients & new_clients
            sent += self._send(to, self._visible.get(user, set()))
        self._collect(changed, sent)

    def _collect(self, changed: frozenset[str], sent: int) -> None:
        """Collect further changes until those that were sent, in so many bytes, are paid for."""
        if changed:
            seconds = min(sent / LIST_BYTES_PER_SECOND, MAX_COLLECTING_SECONDS)
            self._changes_at = asyncio.get_running_loop().time() + seconds

    async def _update_visible(self, changed: frozenset[str], online: frozenset[str]) -> set[str]:
        """Update the online partners that each user here sees.

        Args:
            changed: users that came online or went offline.
            online: all users that are online.

        Returns:
            The users here that see a change.
        """
        new_users = self._here.keys() - self._visible.keys()
        partners = await self._partners(changed | new_users)
        affected, self._with_new_chat = self._with_new_chat, set()
        for user in changed:
            for partner in partners[user] & self._visible.keys():
                visible = self._visible[partner]
                (visible.add if user in online else visible.discard)(user)
                affected.add(partner)
        for user in new_users & self._here.keys():
            self._visible[user] = (partners[user] | {user}) & online
            affected.add(user)
        for user in self._visible.keys() - self._here.keys():
            del self._visible[user]
        return affected

    def _clients(self) -> set[Client]:
        return {client for here in self._here.values() for client in here}

    def _send(self, to: set[Client], users: frozenset[str] | set[str]) -> int:
        """Send clients a list of users; those that have much to read yet get a later one.

        Returns:
            The number of bytes sent, without what frames add.
        """
        ready = {client for client in to if client.connection.takes_more()}
        self._new_clients |= to - ready
        if not ready:
            return 0
        listed = sorted(map(user_out, users), key=lambda user: (isinstance(user, str), user))
        fitting = ItemWriter(msgspec.json.encode, self._max_bytes).write_all(listed)
        self._fan_out.tell(ready, [Announcement("onlineUsers", listed[: len(fitting)])])
        return len(ready) * sum(map(len, fitting))
