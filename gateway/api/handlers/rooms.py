"""Handlers for rooms: create, join, leave and list rooms, delete all messages."""

import time
from collections.abc import Mapping
from typing import Final, Literal, NoReturn

from msgspec import UNSET, UnsetType

from gateway.access.authorization import not_admitted
from gateway.access.roles import Role
from gateway.api.gateway import Gateway
from gateway.api.handlers.acts import act
from gateway.api.outcome import AlreadyReported, BackgroundReply
from gateway.api.pages import item_writer, messages_of
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    JoinedPayload,
    ListedRoomsPayload,
    NotificationPayload,
    RoomCreatedPayload,
    RoomPayload,
    room_created_payload,
)
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.pages.history import Page
from gateway.rooms.store.room_names import check_room_name
from gateway.rooms.subscribing import subscribing
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import RoomCreated
from shared.model.ids import TOP
from shared.model.log_events import HistoryCleared
from shared.model.rooms import Room
from shared.names import form_of
from shared.protocol.limits import DEFAULT_PAGE_ITEMS
from shared.trail.events import WrongPassword

ROLES: Final[Mapping[Role, Literal["moderator", "owner"] | UnsetType]] = {
    Role.STRANGER: UNSET,
    Role.MODERATOR: "moderator",
    Role.OWNER: "owner",
}
"""The `role` in the reply to `joinRoom`."""


TOKENS_OF_PASSWORD: Final = 5
"""Joins that a password costs: to hash one takes a core 40 ms or more, a join a few."""


def cost_of_password(
    command: commands.CreateRoom | commands.JoinRoom | commands.SetPassword,
) -> int:
    """Return the tokens that a command costs: more with a password, which is hashed."""
    return TOKENS_OF_PASSWORD if command.password else 1


async def create_room(
    gateway: Gateway, client: Client, command: commands.CreateRoom, _target: Target
) -> RoomCreatedPayload:
    """Create a room, and send `roomCreated` to its creator."""
    name, passwords = check_room_name(command.name), gateway.access.passwords
    created = RoomCreated(
        kind="room",
        key=gateway.rooms.directory.names.new_key(name),
        name=name,
        password_hash=await passwords.hash(command.password or "", client),
        creator=gateway.access.identity.owner_name(client.username),
    )
    payload = room_created_payload(await gateway.rooms.directory.create(created))
    client.connection.emit("roomCreated", payload)
    return payload


async def join_room(
    gateway: Gateway, client: Client, command: commands.JoinRoom, target: Target
) -> JoinedPayload:
    """Let a client join a room, and announce it to the other members."""
    room, was_inside = target.known, target.inside
    if not was_inside and not await _opens(gateway, client, room, command):
        await gateway.rooms.directory.names.even_out([room])
        raise _refuse_join(client, command.room, not_admitted(room, client.display_name))
    try:
        local, page = await enter(gateway, client, room)
    except ChatError as error:
        if error.code == "forbidden":
            raise _refuse_join(client, command.room, error) from None
        raise
    user = client.display_name
    # `since` of the membership, not the head of now. Example: Ann joins at head 10; event 15 sets
    # a new password, and Ann stays a member. She joins again. With a grant of `since` 20 she could
    # come back later without the new password. With `since` 10 the grant is void.
    since = local.members[client].since
    grant = gateway.access.grants.give(user, room, since) if room.protected else UNSET
    role = ROLES[gateway.access.authorization.role(client.username, local.room)]
    user_name = (command.username and client.corrected_name) or UNSET
    joined = JoinedPayload(room.name, page.head, page.epoch, page.next, grant, role, user_name)
    if not was_inside:
        await gateway.cluster.attendance.join(client, local)
    return joined


async def refuse_to_join(
    gateway: Gateway, client: Client, command: commands.JoinRoom, target: Target
) -> NoReturn:
    """Refuse a join as after a wrong password, after the same time.

    Otherwise a client could find out which rooms with a password exist, and which ban it.
    """
    refusal = not_admitted(target.room, client.display_name)
    if refusal.reason is None:
        await _opens(gateway, client, None, command)
        await gateway.rooms.directory.names.even_out([target.room])
    raise _refuse_join(client, command.room, refusal)


async def enter(gateway: Gateway, client: Client, room: Room) -> tuple[LocalRoom, Page]:
    """Make a client a member of a room: send the newest messages, then live events.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`; `forbidden` if the user was kicked
            or banned meanwhile. The client is in the state from before then.
    """
    async with subscribing(gateway.rooms.hub, client, room) as (local, _, _):
        await gateway.clients.sessions.save(client)
        write = messages_of(gateway, client, room)
        page = await gateway.rooms.history.newest(room, DEFAULT_PAGE_ITEMS, TOP, write)
    show_page(gateway, client, room, page, page.head)
    gateway.rooms.hub.go_live(client, local, page.head)
    return local, page


def show_page(gateway: Gateway, client: Client, room: Room, page: Page, head: int) -> None:
    """Send a client the newest messages up to `head`, and that it is in the room."""
    offset = gateway.rooms.fan_out.next_offset(client, room.id, head)
    client.connection.emit("messageHistory", page.encoded_visible, room.name, offset)
    client.connection.emit("passwordStatus", data=True, room=room.name)


async def get_rooms(
    gateway: Gateway, client: Client, command: commands.GetRooms, _target: Target
) -> ListedRoomsPayload:
    """Send the list of rooms, by name."""
    directory, partial = gateway.rooms.directory, False
    asked = command.after, command.limit + 1  # one more tells if there are more
    try:
        found = await directory.rooms(*asked)
    except ChatError as error:
        # A frontend may put the list in the place of what it has, and lose new rooms by that.
        if error.code != "broker_unavailable" or not command.partial:
            raise
        found, partial = await directory.stored_rooms(*asked), True
    rooms = item_writer(gateway, client).write_all(
        RoomPayload(room.name, room.protected) for room in found[: command.limit]
    )
    client.connection.emit("rooms", rooms)
    following = found[len(rooms) - 1].name if 0 < len(rooms) < len(found) else UNSET
    return ListedRoomsPayload(following, partial)


async def leave_room(
    gateway: Gateway, client: Client, command: commands.LeaveRoom, _target: Target
) -> None:
    """Let a client leave a room, and announce it; do nothing if the client is not in it."""
    if local := gateway.rooms.hub.joined(client, command.room):
        gateway.rooms.typing.ended(client, local)
        gateway.rooms.hub.leave(client, local)
        await gateway.clients.sessions.try_to_save(client)
        await gateway.cluster.attendance.leave(client, local)


async def delete_messages(
    gateway: Gateway, client: Client, _command: commands.DeleteMessages, target: Target
) -> BackgroundReply:
    """Delete all messages of a room."""
    return act(gateway, client, target.known, HistoryCleared(client.display_name))


async def _opens(
    gateway: Gateway, client: Client, room: Room | None, command: commands.JoinRoom
) -> bool:
    """Return True if the client's grant or password opens a room.

    Args:
        gateway: checks grants and passwords, and counts guesses.
        client: the client that joins.
        room: None for a room that does not exist; the refusal takes as long as for one that does.
        command: has the grant and the password.
    """
    access = gateway.access
    if room and access.grants.holds(command.grant, client.display_name, room):
        return True
    password_hash, password = room.password_hash if room else None, command.password or ""
    if not password or (room and not room.protected):
        return await access.passwords.check(password_hash, password, client)
    if access.guesses is None:
        is_right = await access.passwords.check(password_hash, password, client)
    else:
        # By the form, as other spellings would be further guesses.
        async with access.guesses.guess(form_of(command.room), client) as guess:
            is_right = await access.passwords.check(password_hash, password, client)
            guess.is_wrong = not is_right
    if not is_right:
        wrong = WrongPassword(room=command.room, user=client.display_name, address=client.address)
        access.trail.note(wrong, client.source)
    return is_right


def _refuse_join(client: Client, name: str, error: ChatError) -> AlreadyReported:
    """Send the events of a refused join, and make its error.

    They are the same for a wrong password, a room that does not exist, and a ban that may not be
    told.
    """
    client.connection.emit("passwordStatus", data=False, room=name)
    words = "You are banned from this room" if error.reason else "Invalid password"
    client.connection.emit(
        "notification", NotificationPayload(words, int(time.time() * 1000)), name
    )
    return AlreadyReported(error.code, error.message, reason=error.reason)
