"""Direct chats: make one, talk, delete, see, read."""

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.handlers.places import move_cursor
from gateway.api.outcome import BackgroundReply
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatPayload,
    chat_payload,
    listed_chat_payload,
    new_message_payload,
)
from gateway.rooms.client import Client
from gateway.rooms.store.directory import MessageLocation
from shared.model import commands
from shared.model.ids import TOP
from shared.model.log_events import MessageDeleted


async def get_chats(
    gateway: Gateway, client: Client, command: commands.GetChats, _target: Target
) -> None:
    """List a user's chats."""
    await subscribe_to_chats(gateway, client)
    client.connection.emit("chatsList", await listed_chats(gateway, command.user))


async def listed_chats(
    gateway: Gateway, user: str, *, only_unread: bool = False
) -> list[ListedChatPayload]:
    """A user's chats, the one with the latest news first."""
    return [
        listed_chat_payload(chat.room, chat.unread, chat.last_message)
        for chat in await gateway.rooms.chats.list_chats(user)
        if chat.unread or not only_unread
    ]


async def create_chat(
    gateway: Gateway, client: Client, command: commands.CreateChat, _target: Target
) -> ChatPayload:
    """Make the chat of two users, or find it; whoever asks must be one of them, if anybody."""
    await subscribe_to_chats(gateway, client)
    users = (str(command.user1_id), str(command.user2_id))
    chat, made = await gateway.rooms.directory.chat_of(*users)
    payload = chat_payload(chat)
    # A new chat is told to both users by the broker; who asks for an old one gets it alone.
    if not made or not client.chats_subscribed:
        client.connection.emit("newChat", payload)
    return payload


async def get_messages(
    gateway: Gateway, client: Client, command: commands.GetMessages, target: Target
) -> None:
    """A page of a chat of the client's user."""
    chat = target.known
    await subscribe_to_chats(gateway, client)
    before = command.before if isinstance(command.before, int) else TOP
    page = await gateway.rooms.history.newest(chat, command.limit, before)
    shown = [new_message_payload(item, chat) for item in page.items if not item.deleted]
    client.connection.emit("loadMessages", shown)


async def delete_message(
    gateway: Gateway, client: Client, command: commands.DeleteMessage, target: Target
) -> BackgroundReply | None:
    """Delete a message."""
    place = _message_of(target)
    if place.deleted:
        return None
    body = MessageDeleted(client.display_name, command.message_id, place.seq)
    # One deletion for a message, however often and wherever it is asked.
    return _delete(gateway, place, f"delete {command.message_id}", body)


async def mark_as_seen(
    gateway: Gateway, client: Client, command: commands.MarkAsSeen, target: Target
) -> None:
    """Have seen a message of the other user, and all before it."""
    place = _message_of(target)
    await move_cursor(gateway, client, place.room, place.seq, command.message_id)


def _message_of(target: Target) -> MessageLocation:
    if target.message is None:
        raise target.unseen()
    return target.message


async def _delete(
    gateway: Gateway, place: MessageLocation, once: str, body: MessageDeleted
) -> None:
    await gateway.rooms.publisher.send(place.room, place.sender, once, body)
