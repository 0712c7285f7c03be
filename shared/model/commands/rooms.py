"""Commands about named rooms."""

from typing import Annotated, ClassVar

from msgspec import Meta

from shared.model.commands.base import Command, MemberCommand
from shared.model.fields import (
    ClientMsgId,
    Grant,
    Limit,
    Name,
    Password,
    check_name,
    check_text,
)
from shared.protocol.limits import MAX_NAME_CHARACTERS, MAX_PAGE_ITEMS


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


class GetRooms(Command, frozen=True, kw_only=True):
    """List rooms by name."""

    after: Annotated[str, Meta(max_length=MAX_NAME_CHARACTERS)] = ""
    limit: Limit = MAX_PAGE_ITEMS

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


class SetPassword(Command, frozen=True, kw_only=True):
    """Protect a room by another password; an empty one, or none, opens it."""

    room: Name
    password: Password | None = None

    def __post_init__(self) -> None:
        check_text(self.password or "")


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
