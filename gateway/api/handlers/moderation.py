"""Handlers of moderation: kick, ban, unban, moderators, password, and lists of users."""

import secrets

from gateway.api.gateway import Gateway
from gateway.api.outcome import BackgroundReply
from gateway.api.targets import Target
from gateway.protocols.payloads import MemberPayload, StandingsPayload, user_out
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import BanLifted
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
    return _act(gateway, room, Kicked(command.user, client.display_name))


async def ban(
    gateway: Gateway, client: Client, command: commands.Ban, target: Target
) -> BackgroundReply:
    """End a user's memberships of a room, and refuse the user from then on."""
    room = _room_with_space(target, command)
    if command.user in room.standings.banned:
        return _member(gateway, command.user)
    return _act(gateway, room, Banned(command.user, client.display_name))


async def unban(
    gateway: Gateway, client: Client, command: commands.Unban, target: Target
) -> BackgroundReply:
    """Take a ban back."""
    room = _room_with_space(target, command)
    if command.user not in room.standings.banned:
        return _member(gateway, command.user)
    return _lift_ban(gateway, room, Unbanned(command.user, client.display_name))


async def set_moderator(
    gateway: Gateway, client: Client, command: commands.SetModerator, target: Target
) -> BackgroundReply:
    """Make a user a moderator of a room, or take the role away."""
    room, user = _room_with_space(target, command), command.user
    if command.moderator and user in room.standings.banned:
        raise ChatError("bad_request", "a banned user cannot be a moderator: undo the ban first")
    if command.moderator == (user in room.standings.moderators):
        return _member(gateway, user)
    changed = ModeratorChanged(user, client.display_name, command.moderator)
    return _act(gateway, room, changed)


async def set_password(
    gateway: Gateway, client: Client, command: commands.SetPassword, target: Target
) -> BackgroundReply:
    """Set or remove a room's password; its members stay in the room."""
    password_hash = await gateway.access.passwords.hash(command.password or "")
    changed = PasswordChanged(client.display_name, bool(password_hash), password_hash)
    return _send(gateway, target.known, changed)


async def get_standings(
    _gateway: Gateway, _client: Client, command: commands.GetStandings, target: Target
) -> StandingsPayload:
    """List the users who are banned from a room, or its moderators."""
    standings = target.known.standings
    users = standings.banned if command.standing == "banned" else standings.moderators
    after = "" if command.after is None else str(command.after)
    found = sorted(user for user in users if user > after)
    page = found[: command.limit]
    return StandingsPayload([user_out(user) for user in page], more=len(found) > len(page))


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


async def _lift_ban(gateway: Gateway, room: Room, body: Unbanned) -> MemberPayload:
    """Take a ban back, and tell the user, unless the room is one that they may not know of."""
    result = await _act(gateway, room, body)
    if not room.protected:
        gateway.rooms.publisher.broadcast(body.user, BanLifted(room.name, body.user))
    return result


async def _act(
    gateway: Gateway, room: Room, body: Kicked | Banned | Unbanned | ModeratorChanged
) -> MemberPayload:
    await _send(gateway, room, body)
    return await _member(gateway, body.user)


async def _member(gateway: Gateway, user: str) -> MemberPayload:
    """Make the result of an action on a user: whether anybody of this name was ever here."""
    if user in gateway.cluster.presence.online:
        return MemberPayload(known=True)
    try:
        return MemberPayload(known=await gateway.access.acquaintance.has(user))
    except ChatError:
        return MemberPayload()  # the action is done, whatever else cannot be had now


async def _send(gateway: Gateway, room: Room, body: RuleChange) -> None:
    """Add an event to the room's log; every gateway applies it when it delivers the event."""
    await gateway.rooms.publisher.send(room, body.by, secrets.token_urlsafe(12), body)
