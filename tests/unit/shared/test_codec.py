"""Envelopes and their bytes."""

import contextlib

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared import codec
from shared.model.events import Event, Notice
from shared.model.formats import LEGACY, NEWEST
from shared.model.log_events import MessagePosted
from tests.support.events import bodies, events, message

WHOLE = codec.encode(message(1))


@given(events)
def test_round_trip(event: Event) -> None:
    """Any event comes out as it went in."""
    assert codec.decode(codec.encode(event)) == event


@given(st.binary(max_size=200))
@example(b"")
@example(WHOLE[:-1])
@example(WHOLE + b"\x00")
@example(WHOLE.replace(b"hello", b"\xff\xfe\xfd\xfc\xfb"))
@example(b"\x91" * 100_000)
@example(b"\x97" + b"\x01" * 6 + b"\x91" * 100_000)
@example(b"\x97" + b"\x01" * 6 + b"\x93\xa6notice" + b"\x91" * 100_000)
def test_any_bytes_in(data: bytes) -> None:
    """Any bytes are an event or a CodecError, and never another exception."""
    try:
        event = codec.decode(data)
    except codec.CodecError:
        return
    assert isinstance(event, Event)


@given(events, st.data())
def test_damaged_bytes_in(event: Event, data: st.DataObject) -> None:
    """An envelope with one byte changed is an event or a CodecError."""
    whole = bytearray(codec.encode(event))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(codec.CodecError):
        assert isinstance(codec.decode(bytes(whole)), Event)


@pytest.mark.parametrize("written_in", [0, NEWEST + 1, 99])
def test_other_formats_are_refused(written_in: int) -> None:
    """An envelope of a format that this build does not know is a CodecError that names it."""
    other = codec.encode(Event(written_in, 1, 1, 1, 0, 5, Notice("hi")))
    with pytest.raises(codec.CodecError, match=f"format {written_in}, which this build does not"):
        codec.decode(other)


def test_the_format_of_older_builds_is_read() -> None:
    """An envelope that a build wrote which announced no format is read."""
    event = Event(LEGACY, 1, 1, 1, 0, 5, Notice("hi"))
    assert codec.decode(codec.encode(event)) == event


def test_format_is_an_array_of_seven() -> None:
    """An independent MessagePack reader sees the fields of an envelope in their order."""
    event = Event(1, 2, 3, 4, 5, 6, MessagePosted("ann", "hi", "m1"))
    assert msgpack.unpackb(codec.encode(event)) == [
        1,
        2,
        3,
        4,
        5,
        6,
        ["message", "ann", "hi", "m1"],
    ]


@given(numbers := st.integers(0, 2**53 - 1), numbers, numbers, numbers, numbers, bodies)
def test_head_around_a_body(
    room_id: int, event_id: int, seq: int, prev: int, created_at: int, body: object
) -> None:
    """A head of six numbers, written by another encoder, around an encoded body is an envelope."""
    event = Event(NEWEST, room_id, event_id, seq, prev, created_at, body)  # type: ignore[arg-type]
    head = [NEWEST, room_id, event_id, seq, prev, created_at]
    written = b"\x97" + b"".join(msgpack.packb(number) for number in head)
    assert codec.decode(written + codec.encode_body(event.body)) == event


def test_signal_has_no_place() -> None:
    """A signal has no id and no place in a room."""
    event = codec.decode(codec.signal(Notice("hi", "me"), NEWEST, 12))
    assert (event.room_id, event.id, event.seq, event.prev, event.created_at) == (0, 0, 0, 0, 12)
    assert event.body == Notice("hi", "me")
