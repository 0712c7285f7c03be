"""Commands about what rooms and chats have alike: their history, cursors, typing."""

import msgspec
from msgspec import UNSET, UnsetType

from shared.model.commands.base import Command
from shared.model.fields import EventId, Grant, Limit, Name, Seq, UserId
from shared.protocol.limits import DEFAULT_PAGE_ITEMS, MAX_ID_DIGITS, MAX_RESUMED_PLACES


class Resume(Command, frozen=True, kw_only=True):
    """Go on after the last seq one has of rooms and chats.

    The keys of `chats` are ids; JSON has them as text. `grants` are what joining a protected room
    handed out, by name.
    """

    rooms: dict[Name, Seq] = msgspec.field(default_factory=dict)
    chats: dict[int | str, Seq] = msgspec.field(default_factory=dict)
    grants: dict[Name, Grant] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.rooms) + len(self.chats) > MAX_RESUMED_PLACES:
            raise ValueError(f"at most {MAX_RESUMED_PLACES} rooms and chats at a time")
        if not all(
            str(chat).isdecimal() and len(str(chat)) <= MAX_ID_DIGITS for chat in self.chats
        ):
            raise ValueError("the keys of `chats` are ids")


class Typing(Command, frozen=True, kw_only=True):
    """Be seen typing in a room or a chat."""

    room: Name | None = None
    chat_id: EventId | None = None
    username: UserId | None = None

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


class History(Command, frozen=True, kw_only=True):
    """A page of history of a room or a chat: the newest, those before a place, or after one."""

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
    """Have seen everything in a room or a chat up to a place."""

    room: Name | None = None
    chat_id: EventId | None = None
    seq: Seq

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


def _check_place(room: str | None, chat_id: int | None) -> None:
    if (room is None) == (chat_id is None):
        raise ValueError("give `room` or `chatId`")
