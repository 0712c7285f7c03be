"""What a client is answered."""

from datetime import datetime

import msgspec

from parley_chat.events.kinds import Message, NewMessage


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """The server's word that a message is kept.

    Attributes:
        id: in the cluster.
        seq: its place in the room or the chat.
        chat_id: of a direct message.
    """

    id: int
    seq: int
    created_at: datetime
    chat_id: int | None = None


class RoomInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A room of the list. `protected`: joining takes a password."""

    name: str
    protected: bool


class HistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a room, oldest first.

    Attributes:
        head: the last seq of the room.
        partial: a part of the server is away, and more may belong here.
    """

    items: list[Message]
    head: int
    partial: bool = False


class ChatHistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a direct chat, oldest first; see `HistoryPage`."""

    items: list[NewMessage]
    head: int
    partial: bool = False


class Joined(msgspec.Struct, frozen=True, rename="camel"):
    """The reply to `joinRoom`, with the newest messages, oldest first.

    Attributes:
        head: the last seq of the room.
        epoch: of the broker's data.
    """

    room: str
    head: int
    epoch: int = 0
    history: list[Message] = []
