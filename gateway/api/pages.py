"""Writers of pages for a client or a REST answer: what their items are, and how large they get."""

import msgspec

from gateway.api.gateway import Gateway
from gateway.protocols.item_writer import ItemWriter
from gateway.protocols.payloads import listed_chat_payload, message_payload, new_message_payload
from gateway.rooms.client import Client
from gateway.rooms.store.chat_list import ListedChat
from gateway.rooms.store.pages.chat_pages import WriteChat
from gateway.rooms.store.pages.draft import WriteMessage
from shared.model.rooms import Room
from shared.model.timeline import Message


def item_writer(gateway: Gateway, client: Client | None) -> ItemWriter:
    """Make the writer of one page, in the format of a client; of JSON for None."""
    encode = client.connection.wire.encode_value if client else msgspec.json.encode
    return ItemWriter(encode, gateway.settings.max_page)


def messages_of(gateway: Gateway, client: Client, room: Room) -> WriteMessage:
    """Make the writer of a page of the messages of a room or chat."""
    writer, name = item_writer(gateway, client), room.name

    def write(message: Message) -> msgspec.Raw | None:
        if room.kind == "direct":
            return writer.write(new_message_payload(message, room))
        return writer.write(message_payload(message, name))

    return write


def chats_of(gateway: Gateway, client: Client | None) -> WriteChat:
    """Make the writer of a page of a list of chats."""
    writer = item_writer(gateway, client)

    def write(chat: ListedChat) -> msgspec.Raw | None:
        return writer.write(listed_chat_payload(chat.room, chat.unread, chat.last_message))

    return write
