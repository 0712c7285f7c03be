"""Commands of users about themselves: names, tokens, presence."""

from typing import ClassVar

from shared.model.commands.base import Command, UserCommand
from shared.model.fields import Name, Token, check_name


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


class UserOnline(UserCommand, frozen=True, kw_only=True):
    """Be seen online, and hear of one's chats."""


class UserOffline(UserCommand, frozen=True, kw_only=True):
    """Undo `UserOnline`."""


class GetTicket(Command, frozen=True, kw_only=True):
    """Get a ticket that lets its user in once (REST)."""
