"""What all commands are, and what several begin with."""

from typing import ClassVar

import msgspec

from shared.model.fields import Name, UserId, check_name


class Command(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something a client asks. Fields that are not known are passed over."""

    bare: ClassVar[str | None] = None
    """The field that a bare value stands for."""


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
