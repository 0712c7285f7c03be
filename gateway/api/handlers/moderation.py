"""Handlers of moderation: kick, ban, unban, moderators, password."""

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
    """End a user's memberships of a room, of all their connections on every gateway."""
    room = _room_with_space(target, command)
    return _send(gateway, room, Kicked(command.user, client.display_name))


async def ban(
    gateway: Gateway, client: Client, command: commands.Ban, target: Target
) -> BackgroundReply | None:
    """End a user's memberships of a room, and refuse the user from then on."""
    room = _room_with_space(target, command)
    if command.user in room.standings.banned:
        return None
    return _send(gateway, room, Banned(command.user, client.display_name))


async def unban(
    gateway: Gateway, client: Client, command: commands.Unban, target: Target
) -> BackgroundReply | None:
    """Take a ban back."""
    room = _room_with_space(target, command)
    if command.user not in room.standings.banned:
        return None
    return _send(gateway, room, Unbanned(command.user, client.display_name))


async def set_moderator(
    gateway: Gateway, client: Client, command: commands.SetModerator, target: Target
) -> BackgroundReply | None:
    """Make a user a moderator of a room, or take the role away."""
    room, user = _room_with_space(target, command), command.user
    if command.moderator and user in room.standings.banned:
        raise ChatError("bad_request", "a banned user cannot be a moderator: undo the ban first")
    if command.moderator == (user in room.standings.moderators):
        return None
    changed = ModeratorChanged(user, client.display_name, command.moderator)
    return _send(gateway, room, changed)


async def set_password(
    gateway: Gateway, client: Client, command: commands.SetPassword, target: Target
) -> BackgroundReply:
    """Set or remove a room's password; its members stay in the room."""
    password_hash = await gateway.access.passwords.hash(command.password or "")
    changed = PasswordChanged(client.display_name, bool(password_hash), password_hash)
    return _send(gateway, target.known, changed)


def _room_with_space(target: Target, command: commands.MemberCommand) -> Room:
    """Return the room, if it has space for another entry in its standings.

    Raises:
        ChatError: `bad_request`: the room has the maximum number of entries.
    """
    room = target.known
    standings = room.standings
    if len(standings) >= MAX_ROOM_STANDINGS and not standings.names(command.user):
        text = f"a room can have at most {MAX_ROOM_STANDINGS} moderators, banned and kicked users"
        raise ChatError("bad_request", text)
    return room


async def _send(gateway: Gateway, room: Room, body: RuleChange) -> None:
    """Add an event to the room's log; every gateway applies it when it delivers the event."""
    await gateway.rooms.publisher.send(room, body.by, secrets.token_urlsafe(12), body)
