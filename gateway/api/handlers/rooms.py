"""Rooms: make one, enter and leave it, talk, clear it."""

import secrets
import time
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from gateway.access.authorization import Role, Verdict, put_out, role_of
from gateway.api.handlers.places import (
    accepted,
    check_length,
    check_rooms,
    find_sent,
    joined,
    may_be_sent,
    new_message_id,
)
from gateway.api.outcome import Later, Sending, ToldAlready
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.payloads import (
    AcceptedPayload,
    JoinedPayload,
    NotificationPayload,
    RoomCreatedPayload,
    RoomPayload,
    message_payload,
    room_created_payload,
)
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.history import Page
from shared.broker.rooms.send import Send
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import HistoryCleared, MessagePosted, Notice, RoomCreated
from shared.model.ids import room_key
from shared.model.rooms import Room

JOIN_PAGE: Final = 100
"""Messages that joining a room shows."""

ROLES: Final[Mapping[Role, Literal["moderator", "owner"] | UnsetType]] = {
    Role.STRANGER: UNSET,
    Role.MODERATOR: "moderator",
    Role.OWNER: "owner",
}
"""What who joins is told they are in the room."""


async def create_room(
    services: Services, connection: Connection, command: commands.CreateRoom
) -> RoomCreatedPayload:
    """Make a room, and tell its creator."""
    created = RoomCreated(
        kind="room",
        key=room_key(command.name),
        name=command.name,
        password_hash=await services.passwords.hash(command.password or ""),
        creator=connection.display_name,
    )
    payload = room_created_payload(await services.directory.create(created))
    connection.emit("roomCreated", payload)
    return payload


async def join_room(
    services: Services, connection: Connection, command: commands.JoinRoom
) -> JoinedPayload:
    """Enter a room: its newest messages, then everything live. The others are told."""
    if command.username is not None:
        connection.bind(command.username)
    room = await services.directory.room(room_key(command.room))
    known = connection.rooms.get(command.room)
    check_rooms(services, connection, [command.room])
    if room is None or not (known or await _opens(services, connection, room, command)):
        raise _refused(connection, command.room)
    try:
        local, page = await enter(services, connection, room)
    except ChatError as error:
        raise _refused(connection, command.room) if error.code == "forbidden" else error from None
    user = connection.display_name
    if known is None:
        _notify(services, local, f"{user} has joined the room", connection)
    # A grant is worth what let the member in: it does not outlast a password that it outlasted.
    since = local.members[connection].since
    grant = services.grants.give(user, room, since) if room.protected else UNSET
    role = ROLES[role_of(user, local.room)]
    return JoinedPayload(room.name, page.head, page.epoch, grant, role)


async def enter(services: Services, connection: Connection, room: Room) -> tuple[LocalRoom, Page]:
    """Let a connection into a room that opens to it: its newest messages, then everything live.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`; it is where it was before.
            `forbidden` where it was put out meanwhile.
    """
    known = room.name in connection.rooms
    local = await services.hub.enter(connection, room)
    try:
        await services.sessions.keep(connection)
        page = await services.history.newest(room, JOIN_PAGE)
    except BaseException:
        if not known:
            services.hub.leave(connection, local)
        raise
    if connection not in local.members:
        raise put_out()
    show_page(services, connection, room, page, page.head)
    services.hub.go_live(connection, local, page.head)
    return local, page


def show_page(
    services: Services, connection: Connection, room: Room, page: Page, head: int
) -> None:
    """Tell a connection that it is in a room, with the newest messages up to `head`."""
    shown = [message_payload(item, room.name) for item in page.items if not item.deleted]
    offset = services.fan_out.place(connection, room.id, head)
    connection.emit("messageHistory", shown, room.name, offset)
    connection.emit("passwordStatus", data=True, room=room.name)


async def get_rooms(services: Services, connection: Connection, command: commands.GetRooms) -> None:
    """List rooms by name."""
    found = await services.directory.rooms(command.after, command.limit)
    connection.emit("rooms", [RoomPayload(room.name, room.protected) for room in found])


async def leave_room(
    services: Services, connection: Connection, command: commands.LeaveRoom
) -> None:
    """Leave a room; the others are told. Leaving a room one is not in does nothing."""
    if local := connection.rooms.get(command.room):
        services.typing.ended(connection, local)
        services.hub.leave(connection, local)
        await services.sessions.try_to_keep(connection)
        _notify(services, local, f"{connection.display_name} has left the room", connection)


def send_message(
    services: Services, connection: Connection, command: commands.SendMessage
) -> Sending | Later:
    """Say something in a room one is in."""
    connection.check_own(command.sender)
    local = joined(services, connection, "message", command.room)
    check_length(services, command.content)
    client_msg_id = command.client_msg_id or new_message_id()
    body = MessagePosted(connection.display_name, command.content, client_msg_id)
    if command.client_msg_id and may_be_sent(services, local.room, resend=command.resend):
        return _look_up(services, connection, local, body, resend=command.resend)
    return _send(services, connection, local.room, body)


async def delete_messages(
    services: Services, connection: Connection, command: commands.DeleteMessages
) -> Later:
    """Delete everything said in a room one is in; where names are proven, one moderates it."""
    local = joined(services, connection, "deleteMessages", command.room)
    body = HistoryCleared(connection.display_name)
    return _clear(services, local, body)


async def _opens(
    services: Services, connection: Connection, room: Room | None, command: commands.JoinRoom
) -> bool:
    """Whether a room opens to a grant or a password; one that does not exist opens to none."""
    user = connection.display_name
    if services.authorization.judge("joinRoom", user, room) is not Verdict.ALLOWED:
        room = None  # it takes as long to say no as if there were none
    if room and services.grants.holds(command.grant, user, room):
        return True
    password_hash, password = room.password_hash if room else None, command.password or ""
    visitor = connection.visitor
    if visitor is None or not password or (room and not room.protected):
        return await services.passwords.check(password_hash, password)
    guess = await visitor.guess(command.room, connection.display_name)
    right = await services.passwords.check(password_hash, password)
    if right:
        await guess.was_right()
    return right


async def _look_up(
    services: Services,
    connection: Connection,
    local: LocalRoom,
    body: MessagePosted,
    *,
    resend: bool,
) -> object:
    """Send what SQL does not have; its place among the sends is that of the look-up's end."""
    if known := await find_sent(services, local.room, body, resend=resend):
        return accepted(services, connection, local.room, known)
    return _send(services, connection, local.room, body)


def _send(services: Services, connection: Connection, room: Room, body: MessagePosted) -> Sending:
    def reply(sent: Send) -> AcceptedPayload:
        return accepted(services, connection, room, sent.result())

    return Sending(services.directory.send(room, body.sender, body.client_msg_id, body), reply)


async def _clear(services: Services, local: LocalRoom, body: HistoryCleared) -> None:
    await services.directory.send(local.room, body.by, secrets.token_urlsafe(12), body)


def _refused(connection: Connection, name: str) -> ToldAlready:
    """No such room and a wrong password look alike."""
    connection.emit("passwordStatus", data=False, room=name)
    note = NotificationPayload("Invalid password", int(time.time() * 1000))
    connection.emit("notification", note, name)
    return ToldAlready("forbidden", "no such room, or a wrong password")


def _notify(services: Services, local: LocalRoom, content: str, origin: Connection) -> None:
    now = int(time.time() * 1000)
    services.publisher.signal(local.channel, Notice(content, origin.sid), created_at=now)
