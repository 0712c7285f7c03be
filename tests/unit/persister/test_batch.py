"""From stream entries to rows."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persister.batch import Batch, Unreadable, event_row, make_batch, void_batch
from shared import codec
from shared.broker.stream import Entry
from shared.model.events import Beat, Event, HistoryCleared, Notice, RoomCreated, TypingChanged
from tests.support.events import cleared, created, events, message


def entry(event: Event, counter: int = 1, key: str = "r:general") -> Entry:
    return Entry(counter, key, codec.encode(event))


def test_rows_of_a_batch() -> None:
    """Creations become rooms, messages and clearings become events, in their order."""
    batch = make_batch(
        [
            entry(created("general", room=7), 1),
            entry(message(1, "one"), 2),
            entry(cleared(2), 3),
            entry(message(3, "three"), 4),
        ],
        epoch=5,
    )
    assert batch.position == 4
    assert batch.created == ["r:general"]
    assert [(row["kind"], row["seq"], row["content"]) for row in batch.events] == [
        ("message", 1, "one"),
        ("clear", 2, None),
        ("message", 3, "three"),
    ]
    assert {row["epoch"] for row in batch.events + batch.rooms} == {5}


def test_row_of_a_message() -> None:
    """A message's row has all of it, and the epoch it was stored in."""
    assert event_row(message(3, "hi"), 5) == {
        "id": 3072,
        "room_id": 7,
        "seq": 3,
        "prev": 2,
        "kind": "message",
        "sender": "ann",
        "content": "hi",
        "client_msg_id": "msg-3",
        "deleted": False,
        "created_at": 1003,
        "epoch": 5,
    }


def test_row_of_a_room() -> None:
    """A room's row has its id, its key and what protects it, and nothing is deleted in it."""
    body = RoomCreated("room", "r:general", "general", "$argon2id$...", "ann")
    [row] = make_batch([entry(Event(1, 7, 7, 0, 0, 1000, body))], 5).rooms
    assert row == {
        "id": 7,
        "key": "r:general",
        "kind": "room",
        "name": "general",
        "password_hash": "$argon2id$...",
        "creator": "ann",
        "created_at": 1000,
        "floor": 0,
        "epoch": 5,
    }


def test_heads_and_floors() -> None:
    """A batch knows the last seq of each room it touches, and up to where each was cleared."""
    batch = make_batch(
        [
            entry(message(1, room=7), 1, "r:a"),
            entry(message(8, room=9), 2, "r:b"),
            entry(cleared(2, room=7), 3, "r:a"),
            entry(cleared(3, room=7), 4, "r:a"),
            entry(message(4, room=7), 5, "r:a"),
        ],
        1,
    )
    assert batch.heads == {"r:a": 4, "r:b": 8}
    assert batch.floors == {7: 3}


@pytest.mark.parametrize("body", [Notice("x"), TypingChanged("x"), Beat("g", 1, 1)])
def test_signals_are_not_stored(body: Notice | TypingChanged | Beat) -> None:
    """A signal in the stream is Unreadable."""
    with pytest.raises(Unreadable, match="is not stored"):
        make_batch([entry(Event(1, 7, 1, 1, 0, 1, body))], 1)


@given(st.binary(max_size=100))
@example(b"")
@example(codec.encode(message(1)).replace(b"hello", b"\xff\xfe\xfd\xfc\xfb"))
@example(b"\x91" * 100_000)
def test_any_bytes(data: bytes) -> None:
    """Any bytes in an entry are a row or Unreadable, and a void batch can be made of them."""
    poison = Entry(3, "r:a", data)
    with contextlib.suppress(Unreadable):
        assert isinstance(make_batch([poison], 1), Batch)
    assert void_batch(poison, 1).position == 3


@given(events)
def test_any_event(event: Event) -> None:
    """Any event is stored as one row, or is Unreadable because it is a signal."""
    try:
        batch = make_batch([entry(event)], 1)
    except Unreadable:
        assert isinstance(event.body, Notice | TypingChanged | Beat)
        return
    assert len(batch.rooms) + len(batch.events) == 1
    assert len(batch.floors) == isinstance(event.body, HistoryCleared)


def test_one_unreadable_spoils_the_batch() -> None:
    """A batch with an unreadable entry is refused as a whole, for halving to find it."""
    with pytest.raises(Unreadable):
        make_batch([entry(message(1)), Entry(2, "r:general", b"?"), entry(message(2))], 1)


def test_void_takes_the_place() -> None:
    """A void row keeps the place of a message and nothing of what it said."""
    batch = void_batch(entry(message(3, "secret"), 9), 5)
    [row] = batch.events
    assert (row["id"], row["room_id"], row["seq"], row["prev"]) == (3072, 7, 3, 2)
    assert (row["kind"], row["deleted"], row["epoch"]) == ("void", True, 5)
    assert (row["sender"], row["content"], row["client_msg_id"]) == (None, None, None)
    assert (batch.position, batch.heads, batch.floors) == (9, {"r:general": 3}, {})


def test_void_of_what_nobody_can_read() -> None:
    """Garbage and creations have no place in a room: only the position moves on."""
    for poison in (Entry(9, "r:a", b"?"), entry(created("a"), 9)):
        batch = void_batch(poison, 5)
        assert (batch.position, batch.rooms, batch.events, batch.heads) == (9, [], [], {})
