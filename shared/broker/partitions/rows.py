"""Rows of partition streams: the layout of the events of a script call, in each format.

A row is one entry of the Redis stream, and has up to eight events. From format 2 on the first field
is `format` with its number. Each further field is an event: the name is the envelope, the value the
key of its room's record. Older rows have no field `format`. In the first builds a row was one
event: `e`, the envelope, and `r`, the key of the record.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared.model import formats

MAX_EVENTS_PER_ENTRY: Final = 8
"""Events in one row; `publish.lua` has the same number."""

Words = Sequence[bytes]


class Entry(msgspec.Struct, frozen=True):
    """An event on its way to SQL, or a whole row that this build cannot read.

    Attributes:
        counter: the event's number in the partition; for a whole row that of its last event.
        room_key: the key of the event's room; empty for a whole row.
        data: the envelope, not decoded, as this build may not be able to read it. For a whole row
            all of its fields and values, as an array in MessagePack.
        whole_row: True for a whole row.
    """

    counter: int
    room_key: str
    data: bytes
    whole_row: bool = False


def entries_of(counter: int, words: Words, prefix: str) -> list[Entry]:
    """The events of a row, in order; the row as one entry where this build cannot read it.

    Args:
        counter: the number in the row's id.
        words: the row's fields and values in turn.
        prefix: the beginning of the keys of room records.
    """
    events = _events(words)
    if events is None:
        return [Entry(counter, "", msgspec.msgpack.encode(list(words)), whole_row=True)]
    # The stream id is the counter of the last event, and the counters of a row have no gaps: a row
    # `42-0` with three events has 40, 41 and 42.
    first = counter - len(events) // 2 + 1
    return [
        Entry(first + n, _key(events[2 * n + 1], prefix), events[2 * n])
        for n in range(len(events) // 2)
    ]


def unpack_row(data: bytes) -> list[bytes]:
    """The fields and values of a row that was kept as one entry."""
    words: list[bytes] = msgspec.msgpack.decode(data, type=list[bytes])
    return words


def counter_in(entry_id: bytes) -> int:
    """The number in the id of a row, `<counter>-0`."""
    return int(entry_id.partition(b"-")[0])


def flatten_fields(fields: Any) -> Words:  # noqa: ANN401 - as the client of the broker has it
    """The fields and values in turn of a row that was read as a dictionary."""
    return [word for pair in fields.items() for word in pair]


def _events(words: Words) -> Words | None:
    """Envelopes and record keys in turn; None if this build cannot read the row."""
    if not words or len(words) % 2:
        return None
    match words:
        case [b"format", number, _, *_]:
            known = number.isdigit() and formats.is_known(int(number))
            return words[2:] if known else None
        case [b"e", event, b"r", record]:
            return [event, record]
        case _:
            return words


def _key(record: bytes, prefix: str) -> str:
    return record.decode("utf-8", "replace").removeprefix(prefix)
