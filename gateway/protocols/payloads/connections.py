"""Payloads about a connection: greeting, identity, errors, and what a client has to resume."""

import msgspec
from msgspec import UNSET, UnsetType

from gateway.protocols.payloads.base import Payload


class WelcomePayload(Payload, frozen=True):
    """Greeting of a connection that was opened with `?welcome=1`.

    Attributes:
        sid: id of the connection, unique in the installation.
        gateway: name of the gateway.
        max_content: characters that a message may have here. In JSON it may have four bytes for
            each: text in any language fits, thousands of control characters do not.
        max_frame: bytes that a frame of a client may have here. Any message that is not too long
            fits in, however its JSON is written.
        user: the user that a token, a ticket or the server named. With `AUTH_MODE=open` the name
            that the connection has, where the client connected with another spelling of it.
    """

    sid: str
    gateway: str
    max_content: int
    max_frame: int
    user: str | UnsetType = UNSET


class NamedPayload(Payload, frozen=True, omit_defaults=True):
    """Result of giving the connection a name.

    Attributes:
        user: the name that the connection has, where the given one was another spelling of it.
    """

    user: str | UnsetType = UNSET


class OnlinePayload(NamedPayload, frozen=True, omit_defaults=True):
    """Result of going online; chats with unread messages come before it, as `chatsList`.

    Attributes:
        user: the name that the connection has, where the given one was another spelling of it.
        next: what to give `getChats` as `before` for the chats that follow, where not all chats
            with unread messages have come; missing otherwise.
    """

    next: str | UnsetType = UNSET


class AuthenticatedPayload(Payload, frozen=True):
    """Result of an authentication.

    Attributes:
        user: the user that the token names.
        expires_in: seconds after which the connection ends unless a fresh token came before.
    """

    user: str
    expires_in: float


class Ticket(Payload, frozen=True):
    """Ticket that opens one connection: `/ws?ticket=...`.

    Attributes:
        ticket: the ticket; it works once.
        expires_in: seconds for which it is valid.
    """

    ticket: str
    expires_in: int


class ErrorPayload(Payload, frozen=True, omit_defaults=True):
    """Error.

    Attributes:
        code: code of the error; programs decide by it.
        message: sentence for a person.
        retryable: true if the same request may succeed later, unchanged.
        retry_after_ms: milliseconds to wait before repeating it; missing where nobody knows.
        reason: which of the causes of `code` it is, where the server tells: `banned` for
            `forbidden`, where the user is banned from a room without a password. More may follow.
    """

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class LaggedPayload(Payload, frozen=True):
    """Room of which a connection that did not read was not sent everything.

    Attributes:
        room: name of the room.
        from_: `seq` of the last event that was sent; later ones were not.
    """

    room: str
    from_: int = msgspec.field(name="from")


class ReconnectPayload(Payload, frozen=True):
    """Request of a gateway that is stopping to connect elsewhere.

    Attributes:
        after_ms: milliseconds to wait before that, so that not all clients come at once.
    """

    after_ms: int


class ResumeRequiredPayload(Payload, frozen=True):
    """Rooms and direct chats that the connection has to resume.

    Attributes:
        rooms: names of the rooms.
        chats: ids of the direct chats.
    """

    rooms: list[str]
    chats: list[int]
