"""Typed answers of the server to requests."""

from datetime import datetime

import msgspec

from parley_chat.events.kinds import Message, NewMessage


class SentMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message that the server accepted, and does not lose any more.

    Attributes:
        id: Number of the message in the whole cluster.
        seq: Number of the message in its room or chat.
        chat_id: The chat, of a direct message.
    """

    id: int
    seq: int
    created_at: datetime
    chat_id: int | None = None


class RoomInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A room of the list; a `protected` one takes a password to join."""

    name: str
    protected: bool


class HistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a room, oldest first.

    Attributes:
        head: The last `seq` of the room.
        partial: Whether messages may be missing, because a part of the server is not available.
    """

    items: list[Message]
    head: int
    partial: bool = False


class ChatHistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a direct chat, oldest first; see `HistoryPage`."""

    items: list[NewMessage]
    head: int
    partial: bool = False


class JoinedRoom(msgspec.Struct, frozen=True, rename="camel"):
    """A room that was joined, with its newest messages, oldest first.

    Attributes:
        head: The last `seq` of the room.
        epoch: Epoch of the room's partition; a new one begins where messages may have been lost.
    """

    room: str
    head: int
    epoch: int = 0
    history: list[Message] = []
