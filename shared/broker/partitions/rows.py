"""Rows of partition streams: how each format lays out the events of a script call.

From format 2 on the first field is `format`, with its number; then each event is a field, the
envelope, whose value is the record of its room. Before that there was no such field, and in the
first builds a row was one event: `e`, the envelope, and `r`, the record.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared.model import formats

MAX_EVENTS_PER_ENTRY: Final = 8
"""Events in a row, as `publish.lua` has it."""

Words = Sequence[bytes]


class Entry(msgspec.Struct, frozen=True):
    """An event on its way to SQL, or a whole row that this build cannot read.

    Attributes:
        counter: its number in the partition; of a whole row that of its last event.
        room_key: the room it belongs to; empty of a whole row.
        data: the envelope, not decoded: it may be what nobody can read. Of a whole row all its
            words, as an array in MessagePack.
        whole_row: it is a whole row.
    """

    counter: int
    room_key: str
    data: bytes
    whole_row: bool = False


def entries_of(counter: int, words: Words, prefix: str) -> list[Entry]:
    """The events of a row, in order; the row as one entry where this build cannot read it.

    Args:
        counter: the number in the row's id.
        words: its fields and values in turn.
        prefix: what names of rooms' records begin with.
    """
    events = _events(words)
    if events is None:
        return [Entry(counter, "", msgspec.msgpack.encode(list(words)), whole_row=True)]
    first = counter - len(events) // 2 + 1
    return [
        Entry(first + n, _key(events[2 * n + 1], prefix), events[2 * n])
        for n in range(len(events) // 2)
    ]


def unpack_row(data: bytes) -> list[bytes]:
    """The words of a row that was kept whole."""
    words: list[bytes] = msgspec.msgpack.decode(data, type=list[bytes])
    return words


def counter_in(entry_id: bytes) -> int:
    """The number in the id of a row, `<counter>-0`."""
    return int(entry_id.partition(b"-")[0])


def flatten_fields(fields: Any) -> Words:  # noqa: ANN401 - as the client of the broker has it
    """The words of a row that was read as a dictionary."""
    return [word for pair in fields.items() for word in pair]


def _events(words: Words) -> Words | None:
    """Envelopes and records in turn; None where this build cannot read the row."""
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
