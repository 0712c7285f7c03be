"""Error codes: what each means, whether trying again may help, and what a client should do."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Code = Literal[
    "bad_frame",
    "bad_request",
    "unknown_event",
    "unauthorized",
    "forbidden",
    "not_found",
    "not_joined",
    "room_exists",
    "too_long",
    "too_many",
    "rate_limited",
    "overloaded",
    "broker_unavailable",
    "storage_unavailable",
    "internal",
]
"""The code of an error. Programs decide by it; its message is for people."""


Reason = Literal["banned"]
"""The `reason` of an error: what more a program can read where one code has several causes."""


class ErrorRule(NamedTuple):
    """Meaning of an error code for a client.

    Attributes:
        retryable: the same request may succeed later, unchanged.
        meaning: what happened.
        action: what a client should do.
    """

    retryable: bool
    meaning: str
    action: str


ERRORS: Final[Mapping[Code, ErrorRule]] = {
    "bad_frame": ErrorRule(
        retryable=False,
        meaning="The frame is not valid JSON or MessagePack, is of the wrong kind (text or "
        "binary), or lacks a valid `event`.",
        action="Correct the client. The error has the `id` of the frame, unless none can be read.",
    ),
    "bad_request": ErrorRule(
        retryable=False,
        meaning="A field is missing, has the wrong type, or is outside its limits; or the request "
        "does not fit the server's settings. The message names the field.",
        action="Correct the request.",
    ),
    "unknown_event": ErrorRule(
        retryable=False,
        meaning="The server has no event of this name.",
        action="Check the spelling. The server may be older than the client.",
    ),
    "unauthorized": ErrorRule(
        retryable=False,
        meaning="The token or ticket is missing, not valid, expired, revoked or already used; or "
        "the request needs a name and the connection has none yet.",
        action="Get a fresh token or ticket and authenticate again. On a connection without a "
        "name, send `authenticate` or `setUsername` first.",
    ),
    "forbidden": ErrorRule(
        retryable=False,
        meaning="The user may not do this; or the name is not that of the connection; or there is "
        "no such room or the password is wrong, which look alike. With the `reason` `banned`, the "
        "user is banned from a room without a password.",
        action="Show the message. Ask for another password where a room was joined, unless the "
        "`reason` is `banned`.",
    ),
    "not_found": ErrorRule(
        retryable=False,
        meaning="The chat, message or room does not exist, or the user may not know of it.",
        action="Drop what refers to it. A room that was lost has to be created again.",
    ),
    "not_joined": ErrorRule(
        retryable=False,
        meaning="The connection is not in this room, or there is no such room.",
        action="Join the room, then repeat the request.",
    ),
    "room_exists": ErrorRule(
        retryable=False,
        meaning="A room of this name exists already.",
        action="Join the room, or choose another name.",
    ),
    "too_long": ErrorRule(
        retryable=False,
        meaning="The message has more characters than `maxContent`, or the body of a REST request "
        "is too large. Client libraries say the same of a frame with more bytes than `maxFrame`.",
        action="Shorten it.",
    ),
    "too_many": ErrorRule(
        retryable=False,
        meaning="The connection is in as many rooms as one connection may be.",
        action="Leave a room first.",
    ),
    "rate_limited": ErrorRule(
        retryable=True,
        meaning="The user or address asked too often, or tried too many wrong passwords; or the "
        "address is as many guests as it may be.",
        action="Wait for `retryAfterMs` (over REST, the header `Retry-After`), then repeat the "
        "request.",
    ),
    "overloaded": ErrorRule(
        retryable=True,
        meaning="Too much waits to be stored or computed.",
        action="Repeat the request after a random pause that grows with each failure.",
    ),
    "broker_unavailable": ErrorRule(
        retryable=True,
        meaning="The broker (Redis) does not answer, or this part of its data is being recovered.",
        action="Repeat the request after a random pause that grows with each failure.",
    ),
    "storage_unavailable": ErrorRule(
        retryable=True,
        meaning="The database does not answer, and the request needs it.",
        action="Repeat the request after a random pause that grows with each failure.",
    ),
    "internal": ErrorRule(
        retryable=False,
        meaning="The server failed in a way it did not expect; its log has the details.",
        action="Show the failure and tell the operator. Whether the request was done is not "
        "known: repeat a send only with its `clientMsgId` and `resend: true`.",
    ),
}
"""All error codes."""
