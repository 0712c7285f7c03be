"""Who is here: coming, going, and being called something."""

import time

from msgspec import UNSET

from gateway.api.handlers.chats import list_chats
from gateway.api.handlers.places import hear_chats, stop_hearing
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.payloads import NotificationPayload, WelcomePayload
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import Notice


async def set_username(
    services: Services, connection: Connection, command: commands.SetUsername
) -> None:
    """Bind a name to the connection."""
    connection.bind(command.username)
    await services.sessions.try_to_keep(connection)


async def user_online(
    services: Services, connection: Connection, command: commands.UserOnline
) -> None:
    """Be seen online, and hear of one's chats: those with unread messages come at once."""
    connection.bind(command.user)
    await hear_chats(services, connection)
    services.presence.came(command.user, connection)
    connection.online = True
    await services.sessions.keep(connection)
    try:
        unread = await list_chats(services, command.user, only_unread=True)
    except ChatError as error:
        # They are online all the same; what is unread can be asked for again.
        connection.refuse(None, error)
        return
    if unread:
        connection.emit("chatsList", unread)


async def user_offline(
    services: Services, connection: Connection, command: commands.UserOffline
) -> None:
    """Be seen online no more, and hear of one's chats no more."""
    services.authorization.authorize("userOffline", connection.display_name, about=(command.user,))
    _forget_user(services, connection)
    await services.sessions.try_to_keep(connection)


def came(services: Services, connection: Connection, *, told: bool = True) -> None:
    """Take a connection in, and tell everyone, itself too.

    Args:
        services: the parts of the gateway.
        connection: which.
        told: tell; not of one that was here all the time as far as the others know.
    """
    services.fan_out.connections.add(connection)
    if not told:
        return
    content, now = f"{connection.display_name} connected", int(time.time() * 1000)
    if _everyone_is_told(services):
        services.publisher.tell_everyone(connection.sid, Notice(content), created_at=now)
    else:
        connection.emit("notification", NotificationPayload(content, now))


def welcome(services: Services, connection: Connection) -> None:
    """Tell a client that asks for it where it is connected."""
    settings = services.settings
    user = UNSET if connection.username is None else connection.username
    payload = WelcomePayload(connection.sid, settings.gateway_name, settings.max_content, user)
    connection.emit("welcome", payload)


def went(services: Services, connection: Connection, *, goodbye: bool = False) -> None:
    """Let a connection go, and tell everyone, or its rooms where everyone would be too many.

    Args:
        services: the parts of the gateway.
        connection: which.
        goodbye: its client said that it leaves, so it will not come back to where it was.
    """
    services.deadlines.forget(connection)
    if connection.entrance is not None:
        return  # nobody was told that it came
    notice, now = Notice(f"{connection.display_name} disconnected"), int(time.time() * 1000)
    services.fan_out.connections.discard(connection)
    # Whoever a leaving gateway sends away comes back elsewhere; some are there already.
    leaving = services.readiness.draining or connection.replaced
    services.sessions.drop(connection, forget=goodbye, left=not leaving)
    _forget_user(services, connection)
    everyone = _everyone_is_told(services)
    if everyone and not leaving:
        services.publisher.tell_everyone(connection.sid, notice, created_at=now)
    for local in list(connection.rooms.values()):
        services.typing.ended(connection, local)
        services.hub.leave(connection, local)
        if not everyone and not leaving:
            services.publisher.signal(local.channel, notice, created_at=now)


def _forget_user(services: Services, connection: Connection) -> None:
    if connection.username is None:
        return
    if connection.online:
        services.presence.went(connection.username, connection)
    connection.online = False
    stop_hearing(services, connection)


def _everyone_is_told(services: Services) -> bool:
    return services.pulse.connections <= services.settings.broadcast_limit
