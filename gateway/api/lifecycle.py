"""What happens when a client has come, and when it has gone."""

import time

from msgspec import UNSET

from gateway.api.gateway import Gateway
from gateway.protocols.payloads import NotificationPayload, WelcomePayload
from gateway.rooms.client import Client
from shared.model.events import Notice


def connected(gateway: Gateway, client: Client, *, told: bool = True) -> None:
    """Take a client in, and tell everyone, itself too.

    Args:
        gateway: where it is connected.
        client: the client.
        told: tell; not of one that was here all the time as far as the others know.
    """
    gateway.rooms.fan_out.clients.add(client)
    if not told:
        return
    content, now = f"{client.display_name} connected", int(time.time() * 1000)
    connection = client.connection
    if _everyone_is_told(gateway):
        gateway.rooms.publisher.broadcast(connection.sid, Notice(content), created_at=now)
    else:
        connection.emit("notification", NotificationPayload(content, now))


def welcome(gateway: Gateway, client: Client) -> None:
    """Tell a client that asks for it where it is connected."""
    settings = gateway.settings
    user = UNSET if client.username is None else client.username
    sid = client.connection.sid
    payload = WelcomePayload(sid, settings.gateway_name, settings.max_content, user)
    client.connection.emit("welcome", payload)


def disconnected(gateway: Gateway, client: Client, *, goodbye: bool = False) -> None:
    """Let a client go, and tell everyone, or its rooms where everyone would be too many.

    Args:
        gateway: where it was connected.
        client: the client.
        goodbye: it said that it leaves, so it will not come back to where it was.
    """
    gateway.clients.deadlines.forget(client.connection)
    if client.login is not None:
        return  # nobody was told that it came
    notice, now = Notice(f"{client.display_name} disconnected"), int(time.time() * 1000)
    rooms = gateway.rooms
    rooms.fan_out.clients.discard(client)
    # Whoever a leaving gateway sends away comes back elsewhere; some are there already.
    replaced = client.recovery is not None and client.recovery.replaced
    leaving = gateway.cluster.readiness.draining or replaced
    gateway.clients.sessions.drop(client, forget=goodbye, left=not leaving)
    end_presence(gateway, client)
    everyone = _everyone_is_told(gateway)
    if everyone and not leaving:
        rooms.publisher.broadcast(client.connection.sid, notice, created_at=now)
    for local in list(rooms.hub.rooms_of(client).values()):
        rooms.typing.ended(client, local)
        rooms.hub.leave(client, local)
        if not everyone and not leaving:
            rooms.publisher.signal(local.channel, notice, created_at=now)


def end_presence(gateway: Gateway, client: Client) -> None:
    """Let a client's user be seen online no more, and hear of its chats no more."""
    user = client.username
    if user is None:
        return
    if client.online:
        gateway.cluster.presence.set_offline(user, client)
    client.online = False
    if client.chats_subscribed:
        gateway.rooms.hub.unsubscribe_from_chats(client, user)


def _everyone_is_told(gateway: Gateway) -> bool:
    return gateway.cluster.heartbeat.connections <= gateway.settings.broadcast_limit
