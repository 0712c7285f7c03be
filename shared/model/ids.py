"""Keys and partitions of rooms, and ids of events."""

from functools import lru_cache
from typing import Final
from zlib import crc32

from shared.protocol.limits import MAX_INTEGER

TOP: Final = MAX_INTEGER + 1
"""The number above every id and seq. All of them are exact in JavaScript's floating point."""

PARTITION_BITS: Final = 10
"""An id is `counter << 10 | partition`."""

ROOM: Final = "r"
"""Key prefix of named rooms, so that the key of a room is never that of a direct chat."""


CHAT: Final = "d"
"""Key prefix of direct chats."""


def room_key(name: str) -> str:
    """The key of the named room `name`, in the broker and in SQL."""
    return f"{ROOM}:{name}"


def chat_key(one: str, other: str) -> str:
    """The key of the direct chat of two users, in either order."""
    first, second = sorted((one, other))
    # With the length, the pair `a:b`, `c` has another key than the pair `a`, `b:c`.
    return f"{CHAT}:{len(first)}:{first}:{second}"


def is_chat_key(key: str) -> bool:
    """True for the key of a direct chat, False for that of a named room."""
    return key.startswith(f"{CHAT}:")


def users_of_chat(key: str) -> tuple[str, str]:
    """The two users of the direct chat of this key."""
    _, length, pair = key.split(":", 2)
    return pair[: int(length)], pair[int(length) + 1 :]


@lru_cache(maxsize=16_384)
def partition_of_key(key: str, partitions: int) -> int:
    """The partition of a room's key, 0 to `partitions` - 1. It can never change."""
    return crc32(key.encode()) % partitions


def make_id(counter: int, partition: int) -> int:
    """The id of the event with this counter in a partition."""
    return counter << PARTITION_BITS | partition


def counter_of(event_id: int) -> int:
    """The counter of an id: the event's number in its partition."""
    return event_id >> PARTITION_BITS


def partition_of_id(event_id: int) -> int:
    """The partition of an id."""
    return event_id & ((1 << PARTITION_BITS) - 1)
