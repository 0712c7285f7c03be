"""Actions of the gateway when a client has connected, and when it has disconnected."""

import time

from msgspec import UNSET

from gateway.api.gateway import Gateway
from gateway.protocols.payloads import NotificationPayload, WelcomePayload
from gateway.rooms.client import Client
from shared.model.events import Notice


def connected(gateway: Gateway, client: Client, *, announce: bool = True) -> None:
    """Add a client to the gateway, and announce it to all clients, itself included.

    Args:
        gateway: the gateway that the client is connected to.
        client: a client that is logged in, or need not be.
        announce: False for a recovered client whose disconnection was not announced.
    """
    gateway.rooms.fan_out.clients.add(client)
    if not announce:
        return
    content, now = f"{client.display_name} connected", int(time.time() * 1000)
    connection = client.connection
    if _announces_to_all(gateway):
        gateway.rooms.publisher.broadcast(connection.sid, Notice(content), created_at=now)
    else:
        connection.emit("notification", NotificationPayload(content, now))


def welcome(gateway: Gateway, client: Client) -> None:
    """Send `welcome` to a client: its connection id, the gateway's name and limits."""
    settings = gateway.settings
    user = UNSET if client.username is None else client.username
    sid = client.connection.sid
    limits = settings.max_content, settings.max_frame
    payload = WelcomePayload(sid, settings.gateway_name, *limits, user)
    client.connection.emit("welcome", payload)


def disconnected(gateway: Gateway, client: Client, *, goodbye: bool = False) -> None:
    """Remove a client, and announce it to all clients, or in large clusters to its rooms.

    Args:
        gateway: the gateway that the client was connected to.
        client: the disconnected client; it need not have logged in.
        goodbye: True if the client said that it leaves, so it will not recover its session.
    """
    gateway.clients.deadlines.forget(client.connection)
    if client.login is not None:
        return  # a client that did not log in was never announced
    notice, now = Notice(f"{client.display_name} disconnected"), int(time.time() * 1000)
    rooms = gateway.rooms
    rooms.fan_out.clients.discard(client)
    # A client that is sent away by a drain connects elsewhere, and one whose session was taken
    # over is connected elsewhere already. To announce "disconnected" would be wrong for both.
    replaced = client.recovery is not None and client.recovery.replaced
    moves = gateway.cluster.readiness.draining or replaced
    gateway.clients.sessions.drop(client, forget=goodbye, left=not moves)
    end_presence(gateway, client)
    to_all = _announces_to_all(gateway)
    if to_all and not moves:
        rooms.publisher.broadcast(client.connection.sid, notice, created_at=now)
    for local in list(rooms.hub.rooms_of(client).values()):
        rooms.typing.ended(client, local)
        rooms.hub.leave(client, local)
        if not to_all and not moves:
            rooms.publisher.signal(local.channel, notice, created_at=now)


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
