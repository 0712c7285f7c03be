"""Handlers of moderation: kick, ban, unban, moderators, password, and lists of users."""

from gateway.api.gateway import Gateway
from gateway.api.handlers.acts import act
from gateway.api.outcome import BackgroundReply
from gateway.api.pages import item_writer
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    MemberPayload,
    ModerationLogPayload,
    StandingsPayload,
    act_payload,
    creation_payload,
    user_out,
)
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import BanLifted
from shared.model.ids import TOP
from shared.model.log_events import (
    Banned,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    Unbanned,
)
from shared.model.rooms import Room
from shared.protocol.limits import MAX_ROOM_STANDINGS


async def kick(
    gateway: Gateway, client: Client, command: commands.Kick, target: Target
) -> BackgroundReply:
    """End a user's memberships of a room, of all their connections on every gateway."""
    room = _room_with_space(target, command)
    return _act(gateway, client, room, Kicked(command.user, client.display_name))


async def ban(
    gateway: Gateway, client: Client, command: commands.Ban, target: Target
) -> BackgroundReply:
    """End a user's memberships of a room, and refuse the user from then on.

    A ban of a guest also keeps further guests of the same address out, for a while from now on.
    """
    return _ban(gateway, client, _room_with_space(target, command), command.user)


async def unban(
    gateway: Gateway, client: Client, command: commands.Unban, target: Target
) -> BackgroundReply:
    """Take a ban back."""
    return _unban(gateway, client, _room_with_space(target, command), command.user)


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
    return _act(gateway, client, room, changed)


async def set_password(
    gateway: Gateway, client: Client, command: commands.SetPassword, target: Target
) -> BackgroundReply:
    """Set or remove a room's password; its members stay in the room."""
    password_hash = await gateway.access.passwords.hash(command.password or "", client)
    changed = PasswordChanged(client.display_name, bool(password_hash), password_hash)
    return act(gateway, client, target.known, changed)


async def get_standings(
    gateway: Gateway, client: Client, command: commands.GetStandings, target: Target
) -> StandingsPayload:
    """List the users who are banned from a room, or its moderators."""
    standings = target.known.standings
    users = standings.banned if command.standing == "banned" else standings.moderators
    after = "" if command.after is None else str(command.after)
    found = sorted(user for user in users if user > after)
    page = item_writer(gateway, client).write_all(map(user_out, found[: command.limit]))
    return StandingsPayload(page, more=len(found) > len(page))


async def get_moderation_log(
    gateway: Gateway, client: Client, command: commands.GetModerationLog, target: Target
) -> ModerationLogPayload:
    """List what was done in a room by whom."""
    room = target.known
    before = TOP if command.before is None else command.before
    page = await gateway.rooms.acts.page(room, before, command.limit)
    payloads = [found for act in page.acts if (found := act_payload(act.event, act.sender))]
    following = page.next
    if following is None and len(payloads) < command.limit:
        payloads.append(creation_payload(room))
    elif following is None:
        following = payloads[-1].seq
    items = item_writer(gateway, client).write_all(payloads)
    if len(items) < len(payloads):
        following = payloads[len(items) - 1].seq
    return ModerationLogPayload(items, following, page.partial)


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


async def _ban(gateway: Gateway, client: Client, room: Room, user: str) -> MemberPayload:
    # The address first: a repetition, after a failure in between, finds the user banned already.
    await gateway.access.guest_bans.ban(room, user)
    if user in room.standings.banned:
        return await _member(gateway, user)
    return await _act(gateway, client, room, Banned(user, client.display_name))


async def _unban(gateway: Gateway, client: Client, room: Room, user: str) -> MemberPayload:
    """Take a ban back, and tell the user, unless the room is one that they may not know of."""
    await gateway.access.guest_bans.lift(room, user)
    if user not in room.standings.banned:
        return await _member(gateway, user)
    result = await _act(gateway, client, room, Unbanned(user, client.display_name))
    if not room.protected:
        gateway.rooms.publisher.broadcast(user, BanLifted(room.name, user))
    return result


async def _act(
    gateway: Gateway,
    client: Client,
    room: Room,
    body: Kicked | Banned | Unbanned | ModeratorChanged,
) -> MemberPayload:
    await act(gateway, client, room, body)
    return await _member(gateway, body.user)


async def _member(gateway: Gateway, user: str) -> MemberPayload:
    """Make the result of an action on a user: whether anybody of this name was ever here."""
    if user in gateway.cluster.presence.online:
        return MemberPayload(known=True)
    try:
        return MemberPayload(known=await gateway.access.acquaintance.has(user))
    except ChatError:
        return MemberPayload()  # the action is done, whatever else cannot be had now
