"""Direct chats: make one, talk, delete, see, read."""

import secrets

from gateway.api.handlers.places import (
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
from gateway.api.outcome import Later, Sending
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatPayload,
    chat_payload,
    listed_chat_payload,
    new_message_payload,
)
from gateway.rooms.store.directory import Place
from shared.broker.rooms.send import Send
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import MessageDeleted, MessagePosted, RoomDeleted
from shared.model.ids import TOP, chat_key
from shared.model.rooms import Room


async def get_chats(services: Services, connection: Connection, command: commands.GetChats) -> None:
    """List a user's chats."""
    services.authorization.authorize("getChats", connection.username, about=(command.user,))
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
    services.authorization.authorize("createChat", connection.username, about=users)
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


async def delete_chat(services: Services, chat: Room) -> None:
    """Delete a chat with all it held; both users are told."""
    await services.directory.send(chat, "", secrets.token_urlsafe(12), RoomDeleted(""))


def send_message(
    services: Services, connection: Connection, command: commands.SendChatMessage
) -> Sending | Later:
    """Say something to another user; without a pause where the chat is followed already."""
    sender, receiver = str(command.sender_id), str(command.receiver_id)
    services.authorization.authorize("sendMessage", connection.display_name, about=(sender,))
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
    chat = await own_chat(services, connection, "getMessages", command.chat_id)
    before = command.before if isinstance(command.before, int) else TOP
    page = await services.history.newest(chat, command.limit, before)
    shown = [new_message_payload(item, chat) for item in page.items if not item.deleted]
    connection.emit("loadMessages", shown)


async def delete_message(
    services: Services, connection: Connection, command: commands.DeleteMessage
) -> Later | None:
    """Delete a message of one's own, or one in a room where one moderates."""
    message_id = command.message_id
    place = await _message(services, connection, "deleteMessage", message_id)
    if place.deleted:
        return None
    body = MessageDeleted(connection.display_name, message_id, place.seq)
    # One deletion for a message, however often and wherever it is asked.
    return _delete(services, place, f"delete {message_id}", body)


async def mark_as_seen(
    services: Services, connection: Connection, command: commands.MarkAsSeen
) -> None:
    """Have seen a message of the other user, and all before it."""
    place = await _message(services, connection, "markAsSeen", command.message_id)
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
    def reply(sent: Send) -> object:
        try:
            given = sent.result()
        except ChatError as error:
            if error.code != "not_found":
                raise
            # It was deleted meanwhile: what is said now begins a new one.
            return _send_anew(services, connection, chat, body)
        return accepted(services, connection, chat, given)

    return Sending(services.directory.send(chat, body.sender, body.client_msg_id, body), reply)


async def _send_anew(
    services: Services, connection: Connection, chat: Room, body: MessagePosted
) -> Sending:
    chat = await _follow_chat(services, chat.user1, chat.user2)
    return _send(services, connection, chat, body)


async def _delete(services: Services, place: Place, once: str, body: MessageDeleted) -> None:
    await services.directory.send(place.room, place.sender, once, body)


async def _message(
    services: Services, connection: Connection, action: str, message_id: int
) -> Place:
    """Where a message stands that a user may do something to.

    Raises:
        ChatError: `not_found`, `forbidden`.
    """
    place = await services.directory.place_of(message_id)
    if place is None:
        raise _no_such_message(message_id)
    room, user = place.room, connection.username
    if room.kind == "room":
        user = connection.display_name
    services.authorization.authorize(
        action,
        user,
        room,
        inside=room.name in connection.rooms,
        about=(place.sender,),
        unseen=lambda: _no_such_message(message_id),
    )
    return place


def _no_such_message(message_id: int) -> ChatError:
    return ChatError("not_found", f"Message with ID {message_id} not found")
