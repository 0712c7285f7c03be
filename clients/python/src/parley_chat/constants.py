"""Constants of the protocol that the client decides by."""

from collections.abc import Mapping
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

RETRYABLE_ERRORS: Final[frozenset[str]] = frozenset(
    {"rate_limited", "overloaded", "broker_unavailable", "storage_unavailable"}
)
"""Error codes after which the same request may succeed later, unchanged."""

Reconnect = Literal["always", "new_token", "never"]

RECONNECT: Final[Mapping[int, Reconnect]] = {
    1008: "never",
    4400: "never",
    4401: "new_token",
    4403: "never",
    4408: "new_token",
}
"""Reconnect rule of each close code; of one that is not listed, "always"."""

MAX_NAME_CHARACTERS: Final = 128
"""Characters of a user's or a room's name."""

MAX_USER_ID_DIGITS: Final = 15
"""Digits of a user id that is an integer."""
