"""Looking after a room: put users out, keep them out, name moderators, change the password."""

import secrets

from gateway.api.gateway import Gateway
from gateway.api.outcome import BackgroundReply
from gateway.api.targets import Target
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands
from shared.model.log_events import (
    Banned,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    RuleChange,
    Unbanned,
)
from shared.model.rooms import Room
from shared.protocol.limits import MAX_ROOM_STANDINGS


async def kick(
    gateway: Gateway, client: Client, command: commands.Kick, target: Target
) -> BackgroundReply:
    """Put a user out of a room: off all their connections, on every gateway."""
    room = _remembering(target, command)
    return _happen(gateway, room, Kicked(command.user, client.display_name))


async def ban(
    gateway: Gateway, client: Client, command: commands.Ban, target: Target
) -> BackgroundReply | None:
    """Put a user out of a room, and keep them out."""
    room = _remembering(target, command)
    if command.user in room.standings.banned:
        return None
    return _happen(gateway, room, Banned(command.user, client.display_name))


async def unban(
    gateway: Gateway, client: Client, command: commands.Unban, target: Target
) -> BackgroundReply | None:
    """Let a user enter again."""
    room = _remembering(target, command)
    if command.user not in room.standings.banned:
        return None
    return _happen(gateway, room, Unbanned(command.user, client.display_name))


async def set_moderator(
    gateway: Gateway, client: Client, command: commands.SetModerator, target: Target
) -> BackgroundReply | None:
    """Make a user a moderator of a room, or none any more."""
    room, user = _remembering(target, command), command.user
    if command.moderator and user in room.standings.banned:
        raise ChatError("bad_request", "one who is banned is no moderator: undo the ban first")
    if command.moderator == (user in room.standings.moderators):
        return None
    changed = ModeratorChanged(user, client.display_name, command.moderator)
    return _happen(gateway, room, changed)


async def set_password(
    gateway: Gateway, client: Client, command: commands.SetPassword, target: Target
) -> BackgroundReply:
    """Protect a room by another password, or open it; who is inside stays."""
    password_hash = await gateway.access.passwords.hash(command.password or "")
    changed = PasswordChanged(client.display_name, bool(password_hash), password_hash)
    return _happen(gateway, target.known, changed)


def _remembering(target: Target, command: commands.MemberCommand) -> Room:
    """The room, if it can remember something of the user of a command.

    Raises:
        ChatError: `bad_request`: it remembers too many already.
    """
    room = target.known
    known = room.standings
    if len(known) >= MAX_ROOM_STANDINGS and not known.names(command.user):
        raise ChatError("bad_request", f"a room remembers at most {MAX_ROOM_STANDINGS} users")
    return room


async def _happen(gateway: Gateway, room: Room, body: RuleChange) -> None:
    """Make it an event of the room's log: every gateway acts on it when it delivers it."""
    await gateway.rooms.publisher.send(room, body.by, secrets.token_urlsafe(12), body)
