"""The vocabulary of the trail: every security event there is, with its fields.

docs/operate/monitoring.md describes it, and a test compares the two. A field never holds a secret:
no password, token, ticket, grant, and no text of a message. `OWASP` names the term of OWASP's
Application Logging Vocabulary that an event corresponds to.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar, Final, Literal

import msgspec

VERSION: Final = 1
"""The version of the format; a field is added without a new one, and none is given a new meaning
without it."""

Transport = Literal["websocket", "socket.io", "rest"]
"""What a client speaks."""

How = Literal["token", "ticket", "guest", "name", "session"]
"""How a user was identified: by a token, a ticket, as a guest, by a name that nobody proves
(`AUTH_MODE=open`), or by the secret of a recovered Socket.IO session."""

LoginRefusal = Literal[
    "token_missing",
    "token_invalid",
    "token_expired",
    "token_not_yet_valid",
    "token_of_other_audience",
    "token_of_other_issuer",
    "token_without_claim",
    "token_lasts_too_long",
    "token_revoked",
    "token_in_url",
    "ticket_invalid",
    "name_reserved",
    "name_mismatch",
    "not_in_time",
]
"""Reasons for which a login is refused."""

AccessRefusal = Literal["forbidden", "hidden", "banned"]
"""Reasons for which an action is refused: its rule forbids it, the user may not even know of the
room or chat, or is banned from the room."""


class Weight(Enum):
    """The bounds that a kind of events has (`shared/trail/bounds.py`)."""

    ACT = "act"
    LOGIN = "login"
    REFUSAL = "refusal"
    UNBOUNDED = "unbounded"


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A security event. Fields that are None are left out."""

    OWASP: ClassVar[str] = ""
    weight: ClassVar[Weight] = Weight.ACT

    @classmethod
    def kind(cls) -> str:
        """The name of the event in a line."""
        return str(cls.__struct_config__.tag)


class Login(SecurityEvent, frozen=True, kw_only=True, tag="login"):
    """A connection, or the first REST request for a while, got its user.

    Attributes:
        user: the user.
        how: `token`, `ticket`, `guest`, `name` or `session`.
        address: the network address.
        transport: `websocket`, `socket.io` or `rest`.
    """

    OWASP = "authn_login_success"
    weight = Weight.LOGIN

    user: str
    how: How
    address: str
    transport: Transport


class LoginRefused(SecurityEvent, frozen=True, kw_only=True, tag="login_refused"):
    """A connection or request did not get the user that it asked to be.

    Attributes:
        reason: see the list of reasons.
        address: the network address.
        transport: `websocket`, `socket.io` or `rest`.
        user: the user of a valid token, where the name that was given is another.
    """

    OWASP = "authn_login_fail"
    weight = Weight.REFUSAL

    reason: LoginRefusal
    address: str
    transport: Transport
    user: str | None = None


class OriginRefused(SecurityEvent, frozen=True, kw_only=True, tag="origin_refused"):
    """A page of an origin that `ALLOWED_ORIGINS` does not name was refused (403).

    Attributes:
        origin: as the browser sent it.
        address: the network address.
    """

    OWASP = "malicious_cors"
    weight = Weight.REFUSAL

    origin: str
    address: str


class HostRefused(SecurityEvent, frozen=True, kw_only=True, tag="host_refused"):
    """A request for a host that is not in `PUBLIC_URL` was refused (421).

    Attributes:
        host: of the request's header `Host`.
        address: the network address.
    """

    OWASP = "input_validation_fail"
    weight = Weight.REFUSAL

    host: str
    address: str


class AccessRefused(SecurityEvent, frozen=True, kw_only=True, tag="access_refused"):
    """A user asked for something that they may not do.

    Attributes:
        action: the type of the command.
        reason: `forbidden`, `hidden` (a room or chat of others) or `banned`.
        address: the network address.
        user: the user, if there is one.
        room: the room's name; `chat` and the id for a direct chat.
    """

    OWASP = "authz_fail"
    weight = Weight.REFUSAL

    action: str
    reason: AccessRefusal
    address: str
    user: str | None = None
    room: str | None = None


class Limited(SecurityEvent, frozen=True, kw_only=True, tag="limited"):
    """A rate limit refused a request, or ended a connection that was refused too often.

    Attributes:
        rate: the rate, named as its setting without `RATE_`, or `guests`.
        address: the network address.
        user: the user, where the rate counts users.
        room: the room, where the rate counts guesses of its password.
    """

    OWASP = "excess_rate_limit_exceeded"
    weight = Weight.REFUSAL

    rate: str
    address: str
    user: str | None = None
    room: str | None = None


class WrongPassword(SecurityEvent, frozen=True, kw_only=True, tag="wrong_password"):
    """A wrong password was given for a room, or one for a room that does not exist.

    Attributes:
        room: the room, as it was named.
        user: who gave it.
        address: the network address.
    """

    OWASP = "authn_login_fail"
    weight = Weight.REFUSAL

    room: str
    user: str
    address: str


class Act(SecurityEvent, frozen=True, kw_only=True):
    """An act of a user in a room.

    Attributes:
        by: the user who did it; empty for a REST request with `AUTH_MODE=open`.
        address: the user's network address.
        room: the room's name; `chat` and the id for a direct chat.
    """

    by: str
    address: str
    room: str


class ActOnUser(Act, frozen=True, kw_only=True):
    """An act of a user in a room that concerns another one.

    Attributes:
        user: the other user.
    """

    user: str


class Kick(ActOnUser, frozen=True, kw_only=True, tag="kick"):
    """A user was removed from a room."""

    OWASP = "authz_change"


class Ban(ActOnUser, frozen=True, kw_only=True, tag="ban"):
    """A user was banned from a room."""

    OWASP = "authz_change"


class Unban(ActOnUser, frozen=True, kw_only=True, tag="unban"):
    """A ban of a user was taken back."""

    OWASP = "authz_change"


class RoleChanged(ActOnUser, frozen=True, kw_only=True, tag="role_changed"):
    """A user was made a moderator of a room, or is none any more.

    Attributes:
        moderator: true if the user is a moderator from here on.
    """

    OWASP = "privilege_permissions_changed"

    moderator: bool


class PasswordChanged(Act, frozen=True, kw_only=True, tag="password_changed"):
    """The password of a room was set or removed.

    Attributes:
        protected: true if joining takes a password from here on.
    """

    OWASP = "authn_password_change"

    protected: bool


class MessageDeleted(Act, frozen=True, kw_only=True, tag="message_deleted"):
    """A message was deleted.

    Attributes:
        message: the id of the message.
        user: the user who had sent it.
    """

    OWASP = "sensitive_delete"

    message: int
    user: str


class MessagesDeleted(Act, frozen=True, kw_only=True, tag="messages_deleted"):
    """All messages of a room were deleted."""

    OWASP = "sensitive_delete"


class ChatDeleted(Act, frozen=True, kw_only=True, tag="chat_deleted"):
    """A direct chat was deleted with all its messages."""

    OWASP = "sensitive_delete"


class OperatorAction(SecurityEvent, frozen=True, kw_only=True, tag="operator_action"):
    """An operator did something, by a command or on the operator's port.

    Attributes:
        action: the command, such as `adopt`, or the request, such as `POST /drain`.
        by: the operating system's user, for a command.
        on: what it was done to.
        address: the network address, on the operator's port.
        error: the code of the error that ended it. A part may have been done before.
    """

    OWASP = "authz_admin"
    weight = Weight.UNBOUNDED

    action: str
    by: str | None = None
    on: str | None = None
    address: str | None = None
    error: str | None = None


class OperatorRefused(SecurityEvent, frozen=True, kw_only=True, tag="operator_refused"):
    """A request on the operator's port was refused, as without the operator's secret.

    Attributes:
        action: the request, such as `POST /drain`.
        reason: the code of the error.
        address: the network address.
    """

    OWASP = "authz_fail"
    weight = Weight.REFUSAL

    action: str
    reason: str
    address: str


class Suppressed(SecurityEvent, frozen=True, kw_only=True, tag="suppressed"):
    """Events that were counted and not written, as there were too many of them.

    Attributes:
        counts: the number of events that were not written, by kind.
        seconds: the length of the period that they came in.
        address: their network address, or its /64 for IPv6.
        user: their user, in place of an address.
        sources: the number of sources, in the summary of those with the fewest events; of more
            than 10,000 sources, the events of the others are counted, and they are not.
    """

    OWASP = "excess_rate_limit_exceeded"
    weight = Weight.UNBOUNDED

    counts: Mapping[str, int]
    seconds: int
    address: str | None = None
    user: str | None = None
    sources: int | None = None


EVENTS: Final[Sequence[type[SecurityEvent]]] = (
    Login,
    LoginRefused,
    OriginRefused,
    HostRefused,
    AccessRefused,
    Limited,
    WrongPassword,
    Kick,
    Ban,
    Unban,
    RoleChanged,
    PasswordChanged,
    MessageDeleted,
    MessagesDeleted,
    ChatDeleted,
    OperatorAction,
    OperatorRefused,
    Suppressed,
)
"""Every security event there is."""
