"""Who is here: coming, going, and being called something."""

import time

from gateway.connection import Connection
from gateway.handlers.chats import list_chats
from gateway.handlers.places import hear_chats
from gateway.protocols.payloads import NotificationPayload
from gateway.services import Services
from shared.broker.keys import EVERYONE
from shared.codec import signal
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import Notice


async def set_username(
    services: Services,  # noqa: ARG001 - every handler has it
    connection: Connection,
    command: commands.SetUsername,
) -> None:
    """Bind a name to the connection."""
    connection.bind(command.username)


async def user_online(
    services: Services, connection: Connection, command: commands.UserOnline
) -> None:
    """Be seen online, and hear of one's chats: those with unread messages come at once."""
    connection.bind(command.user)
    await hear_chats(services, connection)
    services.presence.came(command.user, connection)
    connection.online = True
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
    connection.check_own(command.user)
    _forget_user(services, connection)


def came(services: Services, connection: Connection) -> None:
    """Take a connection in, and tell everyone, itself too."""
    services.hub.connections.add(connection)
    content, now = f"{connection.display_name} connected", int(time.time() * 1000)
    if _everyone_is_told(services):
        services.publisher.signal(EVERYONE, signal(Notice(content), now))
    else:
        connection.emit("notification", NotificationPayload(content, now))


def went(services: Services, connection: Connection) -> None:
    """Let a connection go, and tell everyone, or its rooms where everyone would be too many."""
    notice = signal(Notice(f"{connection.display_name} disconnected"), int(time.time() * 1000))
    services.hub.connections.discard(connection)
    connection.ended.set()
    _forget_user(services, connection)
    # Whoever a leaving gateway sends away comes back elsewhere.
    leaving = services.readiness.draining
    everyone = _everyone_is_told(services)
    if everyone and not leaving:
        services.publisher.signal(EVERYONE, notice)
    for local in list(connection.rooms.values()):
        services.typing.ended(connection, local)
        services.hub.leave(connection, local)
        if not everyone and not leaving:
            services.publisher.signal(local.channel, notice)


def _forget_user(services: Services, connection: Connection) -> None:
    if connection.username is None:
        return
    if connection.online:
        services.presence.went(connection.username, connection)
    if connection.hears_chats:
        services.hub.unlisten(connection.username, connection)
    connection.online = connection.hears_chats = False
    connection.chats.clear()  # what happens from now on it does not hear


def _everyone_is_told(services: Services) -> bool:
    return services.pulse.connections <= services.settings.broadcast_limit
