"""What a client asks, typed and checked before any handler sees it.

Where a client may send a bare value for an object (`"general"` for `{"room": "general"}`), the
class says which field that is.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

MOST_NAME = 128
"""Characters of a user's or a room's name."""

Name = Annotated[str, Meta(min_length=1, max_length=MOST_NAME)]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=128)]
Password = Annotated[str, Meta(max_length=256)]
Seq = Annotated[int, Meta(ge=0, lt=2**53)]
Limit = Annotated[int, Meta(ge=1, le=1000)]


def check_name(name: str) -> str:
    """Return a name that can be shown and told apart.

    Raises:
        ValueError: it is blank, begins or ends with space, or holds what cannot be seen:
            control characters, line ends, marks that turn the writing around.
    """
    if not name.isprintable() or name != name.strip():
        raise ValueError("a name has no invisible characters and no space at its ends")
    return name


def check_text(text: str) -> str:
    """Return a text that every database can hold.

    Raises:
        ValueError: it holds NUL, or half of a surrogate pair.
    """
    if "\x00" in text:
        raise ValueError("a text cannot hold NUL")
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text


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

    def __post_init__(self) -> None:
        check_name(self.room)
        check_text(self.password or "")
        if self.username is not None:
            check_name(self.username)


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

    def __post_init__(self) -> None:
        check_text(self.content)
        check_text(self.client_msg_id or "")


class Typing(Command, frozen=True, kw_only=True):
    """Be seen typing in a room."""

    room: Name
    username: Name | None = None


class DeleteMessages(Command, frozen=True, kw_only=True):
    """Delete everything said in a room so far."""

    bare: ClassVar[str | None] = "room"
    room: Name


class History(Command, frozen=True, kw_only=True):
    """A page of a room's history: the newest, those before a place, or those after one."""

    room: Name
    before: Seq | UnsetType = UNSET
    after: Seq | UnsetType = UNSET
    limit: Limit = 100

    def __post_init__(self) -> None:
        if self.before is not UNSET and self.after is not UNSET:
            raise ValueError("give `before` or `after`, not both")
