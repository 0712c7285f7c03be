"""Looking after a room: put users out, keep them out, name moderators, change the password."""

import secrets

from gateway.access.authorization import not_joined
from gateway.api.outcome import Later
from gateway.api.services import Services
from gateway.connections.connection import Connection
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import (
    Banned,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    RuleChange,
    Unbanned,
)
from shared.model.ids import room_key
from shared.model.rooms import Room
from shared.model.standings import MOST_STANDINGS


async def kick(services: Services, connection: Connection, command: commands.Kick) -> Later:
    """Put a user out of a room: off all their connections, on every gateway."""
    room = await _room(services, connection, "kick", command)
    return _happen(services, room, Kicked(command.user, connection.display_name))


async def ban(services: Services, connection: Connection, command: commands.Ban) -> Later | None:
    """Put a user out of a room, and keep them out."""
    room = await _room(services, connection, "ban", command)
    if command.user in room.standings.banned:
        return None
    return _happen(services, room, Banned(command.user, connection.display_name))


async def unban(
    services: Services, connection: Connection, command: commands.Unban
) -> Later | None:
    """Let a user enter again."""
    room = await _room(services, connection, "unban", command)
    if command.user not in room.standings.banned:
        return None
    return _happen(services, room, Unbanned(command.user, connection.display_name))


async def set_moderator(
    services: Services, connection: Connection, command: commands.SetModerator
) -> Later | None:
    """Make a user a moderator of a room, or none any more."""
    room, user = await _room(services, connection, "setModerator", command), command.user
    if command.moderator and user in room.standings.banned:
        raise ChatError("bad_request", "one who is banned is no moderator: undo the ban first")
    if command.moderator == (user in room.standings.moderators):
        return None
    changed = ModeratorChanged(user, connection.display_name, command.moderator)
    return _happen(services, room, changed)


async def set_password(
    services: Services, connection: Connection, command: commands.SetPassword
) -> Later:
    """Protect a room by another password, or open it; who is inside stays."""
    room = await _find(services, connection, "setPassword", command.room, ())
    password_hash = await services.passwords.hash(command.password or "")
    changed = PasswordChanged(connection.display_name, bool(password_hash), password_hash)
    return _happen(services, room, changed)


async def _room(
    services: Services, connection: Connection, action: str, command: commands.MemberCommand
) -> Room:
    """The room of a command, whose user something may be done to."""
    room = await _find(services, connection, action, command.room, (command.user,))
    known = room.standings
    if len(known) >= MOST_STANDINGS and not known.names(command.user):
        raise ChatError("bad_request", f"a room remembers at most {MOST_STANDINGS} users")
    return room


async def _find(
    services: Services, connection: Connection, action: str, name: str, about: tuple[str, ...]
) -> Room:
    """A room as the broker has it now, where one may do something.

    Raises:
        ChatError: `not_joined`, also of a room that does not exist; `forbidden`.
    """
    room = await services.directory.room(room_key(name))
    services.authorization.authorize(
        action, connection.display_name, room, inside=name in connection.rooms, about=about
    )
    if room is None:
        raise not_joined()
    return room


async def _happen(services: Services, room: Room, body: RuleChange) -> None:
    """Make it an event of the room's log: every gateway acts on it when it delivers it."""
    await services.directory.send(room, body.by, secrets.token_urlsafe(12), body)
