"""Hash tags that spread partitions evenly over the masters of a Redis Cluster.

A cluster shares 16,384 slots out among its masters, in ranges of about the same size. The slot of a
key is the CRC-16 (XMODEM) of its hash tag, modulo 16,384 (Redis Cluster specification, "Key
distribution model"). Tags that are plain numbers fall on few masters. So the range of slots is cut
into P equal parts, and partition p has the shortest tag whose slot is the middle of part p. With 1
to P masters, each master then has the same number of partitions, or one more than another.

The tags are part of the data. Another way to compute them would not find the stored keys.
"""

import itertools
import string
from binascii import crc_hqx
from collections.abc import Iterator
from functools import cache
from typing import Final

SLOTS: Final = 16_384

_LETTERS: Final = string.digits + string.ascii_lowercase


def slot_of(key: str) -> int:
    """The slot of a key or channel: the slot of its hash tag, if it has one."""
    start = key.find("{") + 1
    end = key.find("}", start) if start else -1
    tag = key[start:end] if end > start else key
    return crc_hqx(tag.encode(), 0) % SLOTS


@cache
def hash_tags(partitions: int) -> tuple[str, ...]:
    """The hash tags of `partitions` partitions, in their order."""
    partition_by_slot = {(2 * n + 1) * SLOTS // (2 * partitions): n for n in range(partitions)}
    tags = [""] * partitions
    for word in _words():
        number = partition_by_slot.pop(slot_of(word), None)
        if number is not None:
            tags[number] = word
        if not partition_by_slot:
            break
    return tuple(tags)


def _words() -> Iterator[str]:
    """Every word of letters and digits, the shortest first."""
    for length in itertools.count(1):
        for letters in itertools.product(_LETTERS, repeat=length):
            yield "".join(letters)
