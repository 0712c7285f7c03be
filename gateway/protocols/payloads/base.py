"""Common parts of payloads: the base class, times and user ids as clients get them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from shared.model.fields import UserId
from shared.protocol.limits import MAX_ID_DIGITS, MAX_INTEGER

_MILLISECONDS: Final = tuple(f".{number:03d}Z" for number in range(1000))


def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, as JavaScript writes it."""
    return _iso_second(milliseconds // 1000) + _MILLISECONDS[milliseconds % 1000]


@lru_cache(maxsize=1024)
def _iso_second(seconds: int) -> str:
    """Return what all messages of a second have in common."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def user_out(user: str) -> UserId:
    """A user id as clients wrote it: a decimal integer is one again."""
    if user.isdecimal() and user.isascii() and len(user) <= MAX_ID_DIGITS:
        number = int(user)
        if str(number) == user and number <= MAX_INTEGER:
            return number
    return user


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A payload; its fields go out in this order, in camel case."""


class EmptyPayload(Payload, frozen=True):
    """Reply of a request that succeeded and has nothing to say: `{}`."""


class NotificationPayload(Payload, frozen=True):
    """Line of text for people.

    Attributes:
        content: the text.
        created_at: milliseconds since 1970-01-01 UTC, unlike the times of all other events.
    """

    content: str
    created_at: int
