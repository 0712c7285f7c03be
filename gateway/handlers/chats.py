"""Direct chats: make one, talk, delete, see, read."""

import asyncio
import secrets

from gateway.connection import Connection
from gateway.handlers.outcome import Later, Sending
from gateway.handlers.places import (
    accepted,
    check_length,
    find_sent,
    hear_chats,
    may_be_sent,
    move_cursor,
    new_message_id,
    no_such_chat,
    own_chat,
)
from gateway.history import TOP
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatPayload,
    chat_payload,
    listed_chat_payload,
    new_message_payload,
)
from gateway.services import Services
from gateway.tokens import Bearer
from shared.broker.publisher import Accepted
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import MessageDeleted, MessagePosted, RoomDeleted
from shared.model.ids import chat_key
from shared.model.rooms import Room


async def get_chats(services: Services, connection: Connection, command: commands.GetChats) -> None:
    """List a user's chats."""
    if connection.username is not None:
        connection.check_own(command.user)
        await hear_chats(services, connection)
    connection.emit("chatsList", await list_chats(services, command.user))


async def list_chats(
    services: Services, user: str, *, only_unread: bool = False
) -> list[ListedChatPayload]:
    """A user's chats, the one with the latest news first."""
    return [
        listed_chat_payload(chat.room, chat.unread, chat.last_message)
        for chat in await services.chats.of(user)
        if chat.unread or not only_unread
    ]


async def create_chat(
    services: Services, connection: Connection, command: commands.CreateChat
) -> ChatPayload:
    """Make the chat of two users, or find it; whoever asks must be one of them, if anybody."""
    users = (str(command.user1_id), str(command.user2_id))
    if connection.username is not None:
        if connection.username not in users:
            raise ChatError("forbidden", "one makes chats of one's own")
        await hear_chats(services, connection)
    payload, made = await make_chat(services, *users)
    # A new chat is told to both users by the broker; who asks for an old one gets it alone.
    if not made or not connection.hears_chats:
        connection.emit("newChat", payload)
    return payload


async def make_chat(services: Services, user1: str, user2: str) -> tuple[ChatPayload, bool]:
    """The chat of two users, and whether it was made now."""
    chat, made = await services.directory.chat_of(user1, user2)
    return chat_payload(chat), made


async def find_chat(services: Services, chat_id: int, bearer: Bearer | None) -> Room:
    """A chat, for one of its users; for anybody where nobody says who they are.

    Raises:
        ChatError: `not_found`, also for a chat of others.
    """
    chat = await services.directory.chat(chat_id)
    if chat is None or (bearer is not None and bearer.user not in chat.users):
        raise no_such_chat(chat_id)
    return chat


async def delete_chat(services: Services, chat_id: int, bearer: Bearer | None) -> None:
    """Delete a chat with all it held; both users are told.

    Raises:
        ChatError: `not_found`, as of `find_chat`.
    """
    chat = await find_chat(services, chat_id, bearer)
    await services.directory.send(chat, "", secrets.token_urlsafe(12), RoomDeleted(""))


def send_message(
    services: Services, connection: Connection, command: commands.SendChatMessage
) -> Sending | Later:
    """Say something to another user; without a pause where the chat is followed already."""
    sender, receiver = str(command.sender_id), str(command.receiver_id)
    connection.check_own(sender)
    check_length(services, command.content)
    client_msg_id = command.client_msg_id or new_message_id()
    body = MessagePosted(sender, command.content, client_msg_id)
    local = services.hub.followed(chat_key(sender, receiver))
    hears = connection.hears_chats or connection.username is None
    if local is None or not hears or _to_look_up(services, local.room, command):
        return _find_and_send(services, connection, command, body)
    _check_chat(local.room, command)
    return _send(services, connection, local.room, body)


async def get_messages(
    services: Services, connection: Connection, command: commands.GetMessages
) -> None:
    """A page of a chat one is in."""
    chat = await own_chat(services, connection, command.chat_id)
    before = command.before if isinstance(command.before, int) else TOP
    page = await services.history.newest(chat, command.limit, before)
    shown = [new_message_payload(item, chat) for item in page.items if not item.deleted]
    connection.emit("loadMessages", shown)


async def delete_message(
    services: Services, connection: Connection, command: commands.DeleteMessage
) -> Later | None:
    """Delete a message of one's own, in a chat or in a room one is in."""
    message_id = command.message_id
    place = await services.directory.place_of(message_id)
    if place is None or not _may_know(connection, place.room):
        raise _no_such_message(message_id)
    if place.sender != connection.display_name:
        raise ChatError("forbidden", "only its sender may delete a message")
    if place.deleted:
        return None
    body = MessageDeleted(place.sender, message_id, place.seq)
    # One deletion for a message, however often and wherever it is asked.
    return _delete(services, place.room, f"delete {message_id}", body)


async def mark_as_seen(
    services: Services, connection: Connection, command: commands.MarkAsSeen
) -> None:
    """Have seen a message of the other user, and all before it."""
    place = await services.directory.place_of(command.message_id)
    if place is None or place.room.kind != "direct" or not _may_know(connection, place.room):
        raise _no_such_message(command.message_id)
    if place.sender == connection.username:
        raise ChatError("forbidden", "only its receiver may mark a message as seen")
    await move_cursor(services, connection, place.room, place.seq, command.message_id)


def _to_look_up(services: Services, chat: Room, command: commands.SendChatMessage) -> bool:
    return bool(command.client_msg_id) and may_be_sent(services, chat, resend=command.resend)


def _check_chat(chat: Room, command: commands.SendChatMessage) -> None:
    if command.chat_id not in (None, chat.id):
        raise no_such_chat(command.chat_id or 0)


async def _find_and_send(
    services: Services,
    connection: Connection,
    command: commands.SendChatMessage,
    body: MessagePosted,
) -> object:
    """As `send_message`, where something must be asked first; the chat is made if there is none."""
    await hear_chats(services, connection)
    receiver = str(command.receiver_id)
    local = services.hub.followed(chat_key(body.sender, receiver))
    chat = local.room if local else await _follow_chat(services, body.sender, receiver)
    _check_chat(chat, command)
    if _to_look_up(services, chat, command) and (
        known := await find_sent(services, chat, body, resend=command.resend)
    ):
        return accepted(services, connection, chat, known)
    return _send(services, connection, chat, body)


async def _follow_chat(services: Services, user1: str, user2: str) -> Room:
    """The chat of two users, followed here, so that its sender hears what it sends."""
    chat, _ = await services.directory.chat_of(user1, user2)
    services.hub.follow(chat)
    return chat


def _send(services: Services, connection: Connection, chat: Room, body: MessagePosted) -> Sending:
    def reply(sent: "asyncio.Future[Accepted]") -> object:
        error = sent.exception()
        if isinstance(error, ChatError) and error.code == "not_found":
            # It was deleted meanwhile: what is said now begins a new one.
            return _send_anew(services, connection, chat, body)
        return accepted(services, connection, chat, sent.result())

    return Sending(services.directory.send(chat, body.sender, body.client_msg_id, body), reply)


async def _send_anew(
    services: Services, connection: Connection, chat: Room, body: MessagePosted
) -> Sending:
    chat = await _follow_chat(services, chat.user1, chat.user2)
    return _send(services, connection, chat, body)


async def _delete(services: Services, room: Room, once: str, body: MessageDeleted) -> None:
    await services.directory.send(room, body.by, once, body)


def _may_know(connection: Connection, room: Room) -> bool:
    if room.kind == "direct":
        return connection.username in room.users
    return room.name in connection.rooms


def _no_such_message(message_id: int) -> ChatError:
    return ChatError("not_found", f"Message with ID {message_id} not found")
