"""Numbers and names: partitions of rooms, ids of events."""

from functools import lru_cache
from typing import Final
from zlib import crc32

from shared.protocol.limits import MAX_INTEGER

TOP: Final = MAX_INTEGER + 1
"""Above every id and every seq: each is exact in JavaScript too."""

PARTITION_BITS: Final = 10
"""An id is `counter << 10 | partition`."""

ROOM: Final = "r"
"""Key prefix of named rooms. A key's first letter keeps kinds from meeting in one name."""


CHAT: Final = "d"
"""Key prefix of direct chats."""


def room_key(name: str) -> str:
    """The broker's and SQL's key of the named room `name`."""
    return f"{ROOM}:{name}"


def chat_key(one: str, other: str) -> str:
    """The key of the direct chat of two users, whichever way round they are named."""
    first, second = sorted((one, other))
    # The length keeps two pairs from running together.
    return f"{CHAT}:{len(first)}:{first}:{second}"


def users_of_chat(key: str) -> tuple[str, str]:
    """The two users of the direct chat of this key."""
    _, length, pair = key.split(":", 2)
    return pair[: int(length)], pair[int(length) + 1 :]


@lru_cache(maxsize=16_384)
def partition_of_key(key: str, partitions: int) -> int:
    """The partition (0 .. `partitions` - 1) that a room's key belongs to, for ever."""
    return crc32(key.encode()) % partitions


def make_id(counter: int, partition: int) -> int:
    """The id of the event that is entry `<counter>-0` of the partition's stream."""
    return counter << PARTITION_BITS | partition


def counter_of(event_id: int) -> int:
    """The stream entry's number behind an id."""
    return event_id >> PARTITION_BITS


def partition_of_id(event_id: int) -> int:
    """The partition behind an id."""
    return event_id & ((1 << PARTITION_BITS) - 1)
