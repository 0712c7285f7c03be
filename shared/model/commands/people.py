"""Commands of users about themselves: names, tokens, presence."""

from typing import ClassVar

from shared.model.commands.base import Command, UserCommand
from shared.model.fields import Name, Token, check_text


class SetUsername(Command, frozen=True, kw_only=True):
    """Give the connection its user name. The first name of a connection stays.

    Attributes:
        username: the name.
    """

    bare: ClassVar[str | None] = "username"
    username: Name

    def __post_init__(self) -> None:
        check_text(self.username)


class Authenticate(Command, frozen=True, kw_only=True):
    """Authenticate the connection with a token, or renew it before the last token expires.

    Attributes:
        token: a JSON Web Token of the application.
    """

    bare: ClassVar[str | None] = "token"
    token: Token

    def __repr__(self) -> str:
        return "Authenticate(token=...)"


class UserOnline(UserCommand, frozen=True, kw_only=True):
    """Show the user as online, and subscribe the connection to the user's direct chats.

    It counts as 5 requests, as the list of the user's chats is read.
    """


class UserOffline(UserCommand, frozen=True, kw_only=True):
    """Show the user as offline, and end the subscription to the user's direct chats."""


class GetTicket(Command, frozen=True, kw_only=True):
    """Request for a ticket, which opens one connection."""
