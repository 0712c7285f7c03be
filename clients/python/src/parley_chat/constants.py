"""Constants of the protocol: error codes, close codes and limits.

Generated from the server's `shared/protocol` by `make generate`; do not edit.
"""

from enum import IntEnum
from typing import Final, Literal

ErrorCode = Literal[
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
"""The code of an error of the server."""

RETRYABLE_ERRORS: Final[frozenset[str]] = frozenset(
    {"rate_limited", "overloaded", "broker_unavailable", "storage_unavailable"}
)
"""Codes of errors after which the same request may succeed later, unchanged."""


class CloseCode(IntEnum):
    """Codes with which connections end."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    INVALID_FRAMES = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    IDENTITY_TIMEOUT = 4408
    TOO_MANY_REQUESTS = 4429


FINAL_CLOSE_CODES: Final = frozenset(
    {CloseCode.POLICY_VIOLATION, CloseCode.INVALID_FRAMES, CloseCode.FORBIDDEN}
)
"""Close codes after which another connection would end in the same way."""

TOKEN_CLOSE_CODES: Final = frozenset({CloseCode.IDENTITY_TIMEOUT})
"""Close codes after which a client connects again only if it has a token."""

NEW_TOKEN_CLOSE_CODES: Final = frozenset({CloseCode.UNAUTHORIZED})
"""Close codes after which a client connects again only with a fresh token."""

MAX_INTEGER: Final = 9_007_199_254_740_991
"""The largest id, `seq`, user id or other integer: every integer is exact in JavaScript too."""

MAX_ID_DIGITS: Final = 16
"""Digits of an id, written as text."""

MAX_NAME_CHARACTERS: Final = 128
"""Characters of a user's or a room's name."""

MAX_TYPED_NAME_CHARACTERS: Final = 256
"""Characters of a name in a request, with blanks at its ends, or with accents as parts."""

MAX_CLIENT_MSG_ID_CHARACTERS: Final = 128
"""Characters of a `clientMsgId`."""

MAX_PASSWORD_CHARACTERS: Final = 256
"""Characters of a room's password."""

MAX_GRANT_CHARACTERS: Final = 1024
"""Characters of a grant."""

MAX_TOKEN_CHARACTERS: Final = 8192
"""Characters of a token."""

MAX_CONTENT_CHARACTERS: Final = 16_000
"""Characters of a message that a server may be set to take (`MAX_CONTENT`)."""

DEFAULT_CONTENT_CHARACTERS: Final = 4000
"""Characters of a message that a server takes unless it is set otherwise; `welcome` says it."""

MAX_EVENT_CHARACTERS: Final = 64
"""Characters of an event's name in a client's frame."""

MAX_REQUEST_ID_CHARACTERS: Final = 128
"""Characters of a frame's `id`, where it is text."""

DEFAULT_FRAME_BYTES: Final = 65_536
"""Bytes of a client's frame that every server takes; `welcome` says how many this one takes."""

MAX_PAGE_ITEMS: Final = 1000
"""Items of a page: of history, of a chat's messages, of the list of rooms, of chats."""

DEFAULT_PAGE_ITEMS: Final = 100
"""Items of a page of history where the request does not say how many, and of `messageHistory`."""

MAX_PAGE_BYTES: Final = 524_288
"""Bytes of the items of a page, as sent; half of `OUTBOX_LIMIT` if less. One always comes."""

MAX_CONTENT_BYTES_PER_CHARACTER: Final = 4
"""Bytes that a message may have in JSON, for each character of `MAX_CONTENT`."""

MAX_RESUMED_PLACES: Final = 1000
"""Rooms and chats in one `resume`."""

MAX_ROOM_STANDINGS: Final = 5000
"""Users of whom a room remembers that they are moderators, banned, or were kicked."""

TYPING_SECONDS: Final = 2.2
"""Seconds after the last `typing` of a user at which `typing ""` goes out."""

IDENTIFY_SECONDS: Final = 5.0
"""Seconds a client has to authenticate, where the server wants tokens (close code 4408)."""
