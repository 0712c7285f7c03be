"""Handlers for direct chats: list and create chats, read and delete messages, mark as seen."""

from collections.abc import Iterable

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.handlers.places import move_cursor, read_page
from gateway.api.outcome import BackgroundReply
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatPayload,
    ListedChatsPayload,
    LoadedMessagesPayload,
    chat_payload,
    listed_chat_payload,
    new_message_payload,
)
from gateway.rooms.client import Client
from gateway.rooms.store.chat_list import ListedChat
from gateway.rooms.store.directory import MessageLocation
from shared.errors import ChatError
from shared.model import commands
from shared.model.ids import TOP
from shared.model.log_events import MessageDeleted


async def get_chats(
    gateway: Gateway, client: Client, command: commands.GetChats, _target: Target
) -> ListedChatsPayload:
    """Send a page of the list of a user's chats."""
    pages = gateway.rooms.chat_pages
    try:
        await subscribe_to_chats(gateway, client)
        page = await pages.page(command.user, command.limit, command.before)
    except ChatError as error:
        # A frontend may put the list in the place of what it has, and lose new chats by that.
        if error.code != "broker_unavailable" or not command.partial:
            raise
        page = await pages.stored_page(command.user, command.limit, command.before)
    client.connection.emit("chatsList", listed_chats(page.chats))
    return ListedChatsPayload(page.next, page.partial)


def listed_chats(chats: Iterable[ListedChat]) -> list[ListedChatPayload]:
    """Return the payloads of chats in a list."""
    return [listed_chat_payload(chat.room, chat.unread, chat.last_message) for chat in chats]


async def create_chat(
    gateway: Gateway, client: Client, command: commands.CreateChat, _target: Target
) -> ChatPayload:
    """Find or create the chat of two users."""
    await subscribe_to_chats(gateway, client)
    users = (str(command.user1_id), str(command.user2_id))
    chat, is_new = await gateway.rooms.directory.chat_of(*users)
    payload = chat_payload(chat)
    # A new chat is announced to both users by its wake. For an existing one, only the client that
    # asks gets the event.
    if not is_new or not client.chats_subscribed:
        client.connection.emit("newChat", payload)
    return payload


async def get_messages(
    gateway: Gateway, client: Client, command: commands.GetMessages, target: Target
) -> LoadedMessagesPayload:
    """Send a page of the messages of a chat."""
    chat = target.known
    before = command.before if isinstance(command.before, int) else TOP
    reading = gateway.rooms.history.newest(chat, command.limit, before)
    page = await read_page(gateway, client, chat, reading)
    messages = [new_message_payload(item, chat) for item in page.items if not item.deleted]
    client.connection.emit("loadMessages", messages)
    return LoadedMessagesPayload(page.next, page.partial)


async def delete_message(
    gateway: Gateway, client: Client, command: commands.DeleteMessage, target: Target
) -> BackgroundReply | None:
    """Delete a message."""
    location = _message_of(target)
    if location.deleted:
        return None
    body = MessageDeleted(client.display_name, command.message_id, location.seq)
    # The same idempotency key for all deletions of a message: two clients that delete it at the
    # same time make one event.
    return _delete(gateway, location, f"delete {command.message_id}", body)


async def mark_as_seen(
    gateway: Gateway, client: Client, command: commands.MarkAsSeen, target: Target
) -> None:
    """Mark a message of the other user, and all before it, as seen."""
    location = _message_of(target)
    # A note has no sender who waits for a sign that it was seen. Only the cursor moves, for the
    # user's other connections.
    marked = 0 if location.room.is_notes else command.message_id
    await move_cursor(gateway, client, location.room, location.seq, marked)


def _message_of(target: Target) -> MessageLocation:
    if target.message is None:
        raise target.unseen()
    return target.message


async def _delete(
    gateway: Gateway, location: MessageLocation, idempotency_key: str, body: MessageDeleted
) -> None:
    await gateway.rooms.publisher.send(location.room, location.sender, idempotency_key, body)
