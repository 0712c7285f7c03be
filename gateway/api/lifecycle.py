"""Actions of the gateway when a client has connected, and when it has disconnected."""

import asyncio
import time

from msgspec import UNSET

from gateway.api.gateway import Gateway
from gateway.cluster.heartbeat import GATEWAY_TIMEOUT_SECONDS
from gateway.protocols.payloads import NotificationPayload, WelcomePayload
from gateway.rooms.client import Client
from shared.model.events import Notice


def connected(gateway: Gateway, client: Client, *, announce: bool = True) -> None:
    """Add a client to the gateway, and announce it to itself, and to all if it is its user's first.

    Args:
        gateway: the gateway that the client is connected to.
        client: a client that is logged in, or need not be.
        announce: False for a recovered client whose disconnection was not announced.
    """
    gateway.rooms.fan_out.clients.add(client)
    gateway.cluster.revocations.recheck(client)
    content, now = f"{client.display_name} connected", int(time.time() * 1000)

    def counted() -> None:
        # Not sooner: a client that was told so, and then closes an older connection of its user,
        # must not make others believe that the user has gone.
        if announce:
            client.connection.emit("notification", NotificationPayload(content, now))

    to_all = _announces_to_all(gateway)
    gateway.cluster.attendance.connected(client, at=now, announce=to_all, counted=counted)


def welcome(gateway: Gateway, client: Client) -> None:
    """Send `welcome` to a client: its connection id, the gateway's name and limits."""
    settings = gateway.settings
    proven = gateway.access.identity.required
    user = (client.username if proven else client.corrected_name) or UNSET
    sid = client.connection.sid
    limits = settings.max_content, settings.max_frame
    payload = WelcomePayload(sid, settings.gateway_name, *limits, user)
    client.connection.emit("welcome", payload)


def disconnected(gateway: Gateway, client: Client, *, goodbye: bool = False) -> None:
    """Remove a client, and announce it if it was its user's last connection.

    Args:
        gateway: the gateway that the client was connected to.
        client: the disconnected client; it need not have logged in.
        goodbye: True if the client said that it leaves, so it will not recover its session.
    """
    gateway.clients.deadlines.forget(client.connection)
    gateway.cluster.guests.leave(client)
    if client.login is not None:
        return  # a client that did not log in was never announced
    rooms = gateway.rooms
    rooms.fan_out.clients.discard(client)
    replaced = client.recovery is not None and client.recovery.replaced
    draining = gateway.cluster.readiness.draining
    gateway.clients.sessions.drop(client, forget=goodbye, left=not (draining or replaced))
    end_presence(gateway, client)
    left = list(rooms.hub.rooms_of(client).values())
    for local in left:
        rooms.typing.ended(client, local)
        rooms.hub.leave(client, local)
    channels = [local.channel for local in left]
    if replaced:
        # It is connected elsewhere, or about to be. "disconnected" would be wrong for now.
        loop = asyncio.get_running_loop()
        loop.call_later(GATEWAY_TIMEOUT_SECONDS, _end_attendance, gateway, client, channels)
    elif not draining:
        # A client that a drain sends away connects elsewhere. Of those that do not, the other
        # gateways tell once this one has ended (`gateway/cluster/departures.py`).
        _end_attendance(gateway, client, channels)


def _end_attendance(gateway: Gateway, client: Client, channels: list[str]) -> None:
    """Count a client as connected no more; announce it to all, or in large clusters to its rooms.

    Args:
        gateway: the gateway that the client was connected to.
        client: its connection has ended.
        channels: the channels of the rooms that it was in.
    """
    to_all = _announces_to_all(gateway)

    def tell_rooms() -> None:
        notice, now = Notice(f"{client.display_name} disconnected"), int(time.time() * 1000)
        for channel in channels:
            gateway.rooms.publisher.signal(channel, notice, created_at=now)

    on_gone = None if to_all else tell_rooms
    gateway.cluster.attendance.disconnected(client, announce=to_all, on_gone=on_gone)


def end_presence(gateway: Gateway, client: Client) -> None:
    """Show a client's user as offline, and unsubscribe the client from its user's chats."""
    user = client.username
    if user is None:
        return
    if client.online:
        gateway.cluster.presence.set_offline(user, client)
    client.online = False
    if client.chats_subscribed:
        gateway.rooms.hub.unsubscribe_from_chats(client, user)


def _announces_to_all(gateway: Gateway) -> bool:
    """Return True while announcing each client to all clients is cheap enough."""
    return gateway.cluster.heartbeat.connections <= gateway.settings.broadcast_limit
