"""Handlers for direct chats: list and create chats, read and delete messages, mark as seen."""

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.handlers.acts import delete
from gateway.api.handlers.places import move_cursor, read_page
from gateway.api.outcome import BackgroundReply
from gateway.api.pages import chats_of, messages_of
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatsPayload,
    LoadedMessagesPayload,
    chat_payload,
)
from gateway.rooms.client import Client
from gateway.rooms.store.messages import MessageLocation
from shared.errors import ChatError
from shared.model import commands
from shared.model.ids import TOP
from shared.model.log_events import MessageDeleted


async def get_chats(
    gateway: Gateway, client: Client, command: commands.GetChats, _target: Target
) -> ListedChatsPayload:
    """Send a page of the list of a user's chats."""
    pages, asked = gateway.rooms.chat_pages, (command.user, command.limit, command.before)
    try:
        await subscribe_to_chats(gateway, client)
        page = await pages.page(*asked, chats_of(gateway, client))
    except ChatError as error:
        # A frontend may put the list in the place of what it has, and lose new chats by that.
        if error.code != "broker_unavailable" or not command.partial:
            raise
        page = await pages.stored_page(*asked, chats_of(gateway, client))
    client.connection.emit("chatsList", page.chats)
    return ListedChatsPayload(page.next, page.partial)


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
    write = messages_of(gateway, client, chat)
    reading = gateway.rooms.history.newest(chat, command.limit, before, write)
    page = await read_page(gateway, client, chat, reading)
    client.connection.emit("loadMessages", page.encoded_visible)
    return LoadedMessagesPayload(page.next, page.partial)


async def delete_message(
    gateway: Gateway, client: Client, command: commands.DeleteMessage, target: Target
) -> BackgroundReply | None:
    """Delete a message."""
    location = _message_of(target)
    if location.deleted:
        return None
    body = MessageDeleted(client.display_name, command.message_id, location.seq)
    return delete(gateway, client, location, body)


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
