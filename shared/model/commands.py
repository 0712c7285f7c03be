"""What a client asks, typed and checked before any handler sees it.

Where a client may send a bare value for an object (`"general"` for `{"room": "general"}`), the
class says which field that is.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.model.fields import (
    MOST_ID,
    MOST_NAME,
    MOST_RESUMED,
    ClientMsgId,
    EventId,
    Grant,
    Limit,
    Name,
    Password,
    Seq,
    Token,
    UserId,
    check_name,
    check_text,
)


class Command(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something a client asks. Fields that are not known are passed over."""

    bare: ClassVar[str | None] = None
    """The field that a bare value stands for."""


class SetUsername(Command, frozen=True, kw_only=True):
    """Bind a name to the connection."""

    bare: ClassVar[str | None] = "username"
    username: Name

    def __post_init__(self) -> None:
        check_name(self.username)


class Authenticate(Command, frozen=True, kw_only=True):
    """Say who one is by a token, or bring a fresh one before the last expires."""

    bare: ClassVar[str | None] = "token"
    token: Token

    def __repr__(self) -> str:
        return "Authenticate(token=...)"


class CreateRoom(Command, frozen=True, kw_only=True):
    """Make a room; an empty password is none."""

    name: Name
    password: Password | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        check_text(self.password or "")


class JoinRoom(Command, frozen=True, kw_only=True):
    """Enter a room and get its newest messages."""

    room: Name
    username: Name | None = None
    password: Password | None = None
    grant: Grant | None = None

    def __post_init__(self) -> None:
        check_name(self.room)
        check_text(self.password or "")
        if self.username is not None:
            check_name(self.username)


class Resume(Command, frozen=True, kw_only=True):
    """Go on after the last seq one has of rooms and chats.

    The keys of `chats` are ids; JSON has them as text. `grants` are what joining a protected room
    handed out, by name.
    """

    rooms: dict[Name, Seq] = {}
    chats: dict[int | str, Seq] = {}
    grants: dict[Name, Grant] = {}

    def __post_init__(self) -> None:
        if len(self.rooms) + len(self.chats) > MOST_RESUMED:
            raise ValueError(f"at most {MOST_RESUMED} rooms and chats at a time")
        if not all(str(chat).isdecimal() and len(str(chat)) < MOST_ID for chat in self.chats):
            raise ValueError("the keys of `chats` are ids")


class GetRooms(Command, frozen=True, kw_only=True):
    """List rooms by name."""

    after: Annotated[str, Meta(max_length=MOST_NAME)] = ""
    limit: Limit = 1000

    def __post_init__(self) -> None:
        check_text(self.after)


class LeaveRoom(Command, frozen=True, kw_only=True):
    """Leave a room."""

    bare: ClassVar[str | None] = "room"
    room: Name


class SendMessage(Command, frozen=True, kw_only=True):
    """Say something in a room. How long `content` may be is a setting, checked by its handler."""

    room: Name
    content: Annotated[str, Meta(min_length=1)]
    sender: Name | None = None
    client_msg_id: ClientMsgId | None = None
    # It may have been accepted before, long ago: SQL is asked first.
    resend: bool = False

    def __post_init__(self) -> None:
        check_text(self.content)
        check_text(self.client_msg_id or "")


class Typing(Command, frozen=True, kw_only=True):
    """Be seen typing in a room or a chat."""

    room: Name | None = None
    chat_id: EventId | None = None
    username: UserId | None = None

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


class SetPassword(Command, frozen=True, kw_only=True):
    """Protect a room by another password; an empty one, or none, opens it."""

    room: Name
    password: Password | None = None

    def __post_init__(self) -> None:
        check_text(self.password or "")


class MemberCommand(Command, frozen=True, kw_only=True):
    """A command about a user of a room."""

    room: Name
    user_id: UserId = msgspec.field(name="user")

    @property
    def user(self) -> str:
        """The user, as text."""
        return str(self.user_id)

    def __post_init__(self) -> None:
        check_name(self.user)


class Kick(MemberCommand, frozen=True, kw_only=True):
    """Put a user out of a room."""


class Ban(MemberCommand, frozen=True, kw_only=True):
    """Put a user out of a room, and keep them out."""


class Unban(MemberCommand, frozen=True, kw_only=True):
    """Undo `Ban`."""


class SetModerator(MemberCommand, frozen=True, kw_only=True):
    """Make a user a moderator of a room, or none any more."""

    moderator: bool


class DeleteMessages(Command, frozen=True, kw_only=True):
    """Delete everything said in a room so far."""

    bare: ClassVar[str | None] = "room"
    room: Name


class History(Command, frozen=True, kw_only=True):
    """A page of history of a room or a chat: the newest, those before a place, or after one."""

    room: Name | None = None
    chat_id: EventId | None = None
    before: Seq | UnsetType = UNSET
    after: Seq | UnsetType = UNSET
    limit: Limit = 100

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)
        if self.before is not UNSET and self.after is not UNSET:
            raise ValueError("give `before` or `after`, not both")


class UserCommand(Command, frozen=True, kw_only=True):
    """A command that names a user."""

    bare: ClassVar[str | None] = "user_id"
    user_id: UserId

    @property
    def user(self) -> str:
        """The user, as text."""
        return str(self.user_id)

    def __post_init__(self) -> None:
        check_name(self.user)


class UserOnline(UserCommand, frozen=True, kw_only=True):
    """Be seen online, and hear of one's chats."""


class UserOffline(UserCommand, frozen=True, kw_only=True):
    """Undo `UserOnline`."""


class GetChats(UserCommand, frozen=True, kw_only=True):
    """List a user's direct chats."""


class ByChat(Command, frozen=True, kw_only=True):
    """Look at a direct chat, or delete it (REST)."""

    chat_id: EventId


class GetTicket(Command, frozen=True, kw_only=True):
    """Get a ticket that lets its user in once (REST)."""


class CreateChat(Command, frozen=True, kw_only=True):
    """Make the direct chat of two users, or find it."""

    user1_id: UserId
    user2_id: UserId

    def __post_init__(self) -> None:
        _check_pair(self.user1_id, self.user2_id)


class SendChatMessage(Command, frozen=True, kw_only=True):
    """Say something to another user; the chat is made if there is none."""

    sender_id: UserId
    receiver_id: UserId
    content: Annotated[str, Meta(min_length=1)]
    chat_id: EventId | None = None
    client_msg_id: ClientMsgId | None = None
    # It may have been accepted before, long ago: SQL is asked first.
    resend: bool = False

    def __post_init__(self) -> None:
        _check_pair(self.sender_id, self.receiver_id)
        check_text(self.content)
        check_text(self.client_msg_id or "")


class GetMessages(Command, frozen=True, kw_only=True):
    """A page of a direct chat: the newest messages, or those before a place."""

    bare: ClassVar[str | None] = "chat_id"
    chat_id: EventId
    before: Seq | UnsetType = UNSET
    limit: Limit = 100


class Seen(Command, frozen=True, kw_only=True):
    """Have seen everything in a room or a chat up to a place."""

    room: Name | None = None
    chat_id: EventId | None = None
    seq: Seq

    def __post_init__(self) -> None:
        _check_place(self.room, self.chat_id)


class MarkAsSeen(Command, frozen=True, kw_only=True):
    """Have seen a message, and everything before it."""

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Delete one message of one's own."""

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


def _check_pair(one: UserId, other: UserId) -> None:
    for user in (one, other):
        check_name(str(user))
    if str(one) == str(other):
        raise ValueError("a chat has two different users")


def _check_place(room: str | None, chat_id: int | None) -> None:
    if (room is None) == (chat_id is None):
        raise ValueError("give `room` or `chatId`")
