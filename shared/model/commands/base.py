"""The base of all commands, and those that several begin with."""

from typing import ClassVar

import msgspec

from shared.model.fields import Name, UserId, check_text


class Command(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Request of a client. Fields that are not known are ignored.

    Its docstring and those of its fields are what `docs/reference` says of it.
    """

    bare: ClassVar[str | None] = None
    """Field that a bare value stands for."""


class MemberCommand(Command, frozen=True, kw_only=True):
    """Command about a user of a room.

    Attributes:
        room: name of the room.
        user_id: the user it is about.
    """

    room: Name
    user_id: UserId = msgspec.field(name="user")

    @property
    def user(self) -> str:
        """The user, as text."""
        return str(self.user_id)

    def __post_init__(self) -> None:
        check_text(self.room)
        check_text(self.user)


class UserCommand(Command, frozen=True, kw_only=True):
    """Command that names a user.

    Attributes:
        user_id: the user it is about: the connection's own.
    """

    bare: ClassVar[str | None] = "user_id"
    user_id: UserId

    @property
    def user(self) -> str:
        """The user, as text."""
        return str(self.user_id)

    def __post_init__(self) -> None:
        check_text(self.user)
