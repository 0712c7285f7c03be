"""Commands about what rooms and chats have alike: their history, cursors, typing."""

import msgspec
from msgspec import UNSET, UnsetType

from shared.model.commands.base import Command
from shared.model.fields import EventId, Grant, Limit, Name, Seq, UserId, check_text
from shared.protocol.limits import DEFAULT_PAGE_ITEMS, MAX_RESUMED_PLACES


class Resume(Command, frozen=True, kw_only=True):
    """Return to rooms and chats after a lost connection, and get the events missed there.

    Every event of their logs comes, except messages that were deleted meanwhile. It counts as one
    join for each 10 rooms and chats begun.

    Attributes:
        rooms: the last `seq` the client has of each room, by name; 0 if it has none.
        chats: the last `seq` the client has of each direct chat, by id. JSON has keys as text.
        grants: the `grant` of each protected room among them, by name, from the reply to
            `joinRoom`.
    """

    rooms: dict[Name, Seq] = msgspec.field(default_factory=dict)
    chats: dict[EventId, Seq] = msgspec.field(default_factory=dict)
    grants: dict[Name, Grant] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.rooms) + len(self.chats) > MAX_RESUMED_PLACES:
            raise ValueError(f"at most {MAX_RESUMED_PLACES} rooms and chats at a time")
        for name in self.rooms:
            check_text(name)


class Typing(Command, frozen=True, kw_only=True):
    """Show the user as typing in a room or a direct chat. Give `room` or `chatId`.

    Attributes:
        room: name of the room.
        chat_id: id of the direct chat.
        username: the user who types: the connection's own. It may be left out.
    """

    room: Name | None = None
    chat_id: EventId | None = None
    username: UserId | None = None

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


class History(Command, frozen=True, kw_only=True):
    """Read a page of history: the newest messages, those before a `seq`, or those after one.

    Give `room` or `chatId`, and at most one of `before` and `after`.

    Attributes:
        room: name of the room.
        chat_id: id of the direct chat.
        before: only messages with a smaller `seq`, the newest of them.
        after: only messages with a larger `seq`, the oldest of them.
        limit: number of messages at most.
    """

    room: Name | None = None
    chat_id: EventId | None = None
    before: Seq | UnsetType = UNSET
    after: Seq | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE_ITEMS

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)
        if self.before is not UNSET and self.after is not UNSET:
            raise ValueError("give `before` or `after`, not both")


class Seen(Command, frozen=True, kw_only=True):
    """Mark everything in a room or a direct chat up to a `seq` as seen. Give `room` or `chatId`.

    Attributes:
        room: name of the room.
        chat_id: id of the direct chat.
        seq: the `seq` of the last event that was seen. A smaller one than before changes nothing.
    """

    room: Name | None = None
    chat_id: EventId | None = None
    seq: Seq

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


def _check_place(room: str | None, chat_id: int | None) -> None:
    if (room is None) == (chat_id is None):
        raise ValueError("give `room` or `chatId`")
