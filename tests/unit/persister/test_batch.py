"""From stream entries to rows."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persister.batch import Batch, Unreadable, event_row, make_batch, void_batch
from shared import codec
from shared.broker.partitions.partitions import Head
from shared.broker.partitions.rows import Entry
from shared.model.events import (
    CursorMoved,
    Event,
    GatewayHeartbeat,
    Notice,
    RoomCreated,
    TypingChanged,
    Unknown,
    Wake,
)
from shared.model.kinds import LogEvent
from shared.model.log_events import HistoryCleared, MessageDeleted
from shared.storage.tables import events as events_table
from tests.support.events import (
    cleared,
    created,
    created_chat,
    deleted,
    dropped,
    events,
    message,
    seen,
)

STORED = (RoomCreated, LogEvent, CursorMoved)
CHAT = "d:3:ann:bob"


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
    assert [(row.kind, row.seq, row.content) for row in batch.events] == [
        ("message", 1, "one"),
        ("clear", 2, None),
        ("message", 3, "three"),
    ]
    assert {row.epoch for row in batch.events} | {row["epoch"] for row in batch.rooms} == {5}


def test_row_of_a_message() -> None:
    """A message's row has all of it, and the epoch it was stored in, in the columns' order."""
    row = event_row(message(3, "hi"), 5)
    assert (
        dict(zip(events_table.c.keys(), row, strict=True))
        == row._asdict()
        == {
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
            "target_id": None,
            "target_seq": None,
            "seen_at": None,
            "target_user": None,
        }
    )


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
        "user1": None,
        "user2": None,
        "deleted": False,
        "password_seq": 0,
        "name_form": "general",
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
    assert batch.heads == {"r:a": Head(7, 4), "r:b": Head(9, 8)}
    assert batch.floors == {7: 3}


@pytest.mark.parametrize(
    "body",
    [
        Notice("x"),
        TypingChanged("x"),
        GatewayHeartbeat("g", 1, 1),
        Wake("k", "a", "b", created=True),
        Unknown("x"),
    ],
)
def test_signals_are_not_stored(
    body: Notice | TypingChanged | GatewayHeartbeat | Wake | Unknown,
) -> None:
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
    """Any event is stored as one row or change of state, or is Unreadable, being a signal."""
    if not isinstance(event.body, STORED):
        with pytest.raises(Unreadable):
            make_batch([entry(event)], 1)
        return
    batch = make_batch([entry(event)], 1)
    assert len(batch.rooms) + len(batch.events) + len(batch.moves) + len(batch.dropped) == 1
    assert len(batch.floors) == isinstance(event.body, HistoryCleared)
    assert len(batch.gone) == isinstance(event.body, MessageDeleted)
    assert len(batch.created) == len(batch.rooms)


def test_one_unreadable_spoils_the_batch() -> None:
    """A batch with an unreadable entry is refused as a whole, for halving to find it."""
    with pytest.raises(Unreadable):
        make_batch([entry(message(1)), Entry(2, "r:general", b"?"), entry(message(2))], 1)


def test_void_takes_the_place() -> None:
    """A void row keeps the place of a message and nothing of what it said."""
    batch = void_batch(entry(message(3, "secret"), 9), 5)
    [row] = batch.events
    assert (row.id, row.room_id, row.seq, row.prev) == (3072, 7, 3, 2)
    assert (row.kind, row.deleted, row.epoch) == ("void", True, 5)
    assert (row.sender, row.content, row.client_msg_id) == (None, None, None)
    assert (batch.position, batch.heads, batch.floors) == (9, {"r:general": Head(7, 3)}, {})


def test_void_of_what_nobody_can_read() -> None:
    """Garbage and creations have no place in a room: only the position moves on."""
    for poison in (Entry(9, "r:a", b"?"), entry(created("a"), 9)):
        batch = void_batch(poison, 5)
        assert (batch.position, batch.rooms, batch.events, batch.heads) == (9, [], [], {})


def test_row_of_a_chat() -> None:
    """A chat's row says whose it is, as they were named."""
    [row] = make_batch([entry(created_chat(one="bob", other="ann"), key=CHAT)], 1).rooms
    assert (row["kind"], row["key"], row["user1"], row["user2"]) == ("direct", CHAT, "bob", "ann")


def test_row_of_a_deletion() -> None:
    """A deletion's row says which message it deleted, and the batch where that stands."""
    batch = make_batch([entry(deleted(5, 3), key=CHAT)], 1)
    [row] = batch.events
    assert (row.kind, row.target_id, row.target_seq) == ("delete", 3 << 10, 3)
    assert (row.deleted, row.content) == (False, None)
    assert batch.gone == [{"room": 7, "place": 3}]
    assert batch.heads == {CHAT: Head(7, 5)}


def test_moves_of_a_batch() -> None:
    """A cursor's move is no row of the log, and leaves the head where it is."""
    batch = make_batch([entry(message(3), 1, CHAT), entry(seen("bob", 1, 3, at=77), 2, CHAT)], 1)
    assert batch.moves == [
        {"room": 7, "who": "bob", "since": 1, "place": 3, "moment": 77, "direct": True}
    ]
    assert (len(batch.events), batch.heads, batch.position) == (1, {CHAT: Head(7, 3)}, 2)
    alone = make_batch([entry(seen("bob", 1, 3), 2, CHAT)], 1)
    assert alone.heads == {CHAT: Head(7, 0)}  # touched, and nothing of its log is committed by it


def test_made_and_dropped_in_one_batch() -> None:
    """A room that was made and deleted in one batch has a key that the next one does not."""
    batch = make_batch(
        [
            entry(created_chat(7), 1, CHAT),
            entry(message(1, room=7), 2, CHAT),
            entry(dropped(7, seq=2), 3, CHAT),
            entry(created_chat(8), 4, CHAT),
        ],
        1,
    )
    assert batch.dropped == [7]
    assert [(row["id"], row["deleted"]) for row in batch.rooms] == [(7, True), (8, False)]
    assert batch.rooms[1]["key"] == CHAT
    assert batch.rooms[0]["key"] != CHAT
    assert batch.created == [CHAT, CHAT]


def test_head_of_a_room_made_anew() -> None:
    """A room made anew in a batch is committed as far as its own events, not the old one's."""
    batch = make_batch(
        [
            entry(message(50, room=7), 1, CHAT),
            entry(dropped(7, seq=51), 2, CHAT),
            entry(created_chat(8), 3, CHAT),
            entry(message(1, room=8), 4, CHAT),
        ],
        1,
    )
    assert batch.heads == {CHAT: Head(8, 1)}
