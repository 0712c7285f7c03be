"""Who is here: coming, going, and being called something."""

import time

from gateway.connection import Connection
from gateway.protocols.payloads import NotificationPayload
from gateway.services import Services
from shared.broker.keys import EVERYONE
from shared.codec import signal
from shared.model import commands
from shared.model.events import Notice


async def set_username(
    services: Services,  # noqa: ARG001 - every handler has it
    connection: Connection,
    command: commands.SetUsername,
) -> None:
    """Bind a name to the connection."""
    connection.bind(command.username)


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
    everyone = _everyone_is_told(services)
    if everyone:
        services.publisher.signal(EVERYONE, notice)
    for local in list(connection.rooms.values()):
        services.typing.ended(connection, local)
        services.hub.leave(connection, local)
        if not everyone:
            services.publisher.signal(local.channel, notice)


def _everyone_is_told(services: Services) -> bool:
    return services.pulse.connections <= services.settings.broadcast_limit
