"""History as a fold."""

from hypothesis import given
from hypothesis import strategies as st

from shared.model.events import Event, MessagePosted
from shared.model.timeline import Message, fold, message_of
from tests.support.events import cleared, created, message

places = st.lists(st.integers(1, 30), unique=True)


def stored(seq: int, *, deleted: bool = False) -> Message:
    return Message(
        id=seq << 10,
        seq=seq,
        prev=seq - 1,
        sender="ann",
        content="" if deleted else f"stored {seq}",
        created_at=1000 + seq,
        deleted=deleted,
    )


def in_log(seq: int) -> Event:
    return cleared(seq) if seq % 7 == 0 else message(seq, f"log {seq}")


@given(places, places, st.integers(0, 30))
def test_fold_is_the_naive_model(in_sql: list[int], logged: list[int], floor: int) -> None:
    """A fold is, place by place above the floor, the log's message, else the stored one."""
    events = [in_log(seq) for seq in logged]
    expected = []
    for seq in range(1, 31):
        from_log = message_of(in_log(seq)) if seq in logged else None
        found = from_log or (stored(seq) if seq in in_sql else None)
        if seq > floor and found is not None:
            expected.append(found)
    assert fold((stored(seq) for seq in in_sql), events, floor) == expected


def test_log_wins_over_stored() -> None:
    """Where SQL and the log both have a place, the log's word stands."""
    assert [m.content for m in fold([stored(1), stored(2)], [in_log(2)], 0)] == [
        "stored 1",
        "log 2",
    ]


def test_floor_is_deleted_too() -> None:
    """Everything up to and with the floor is gone."""
    assert [m.seq for m in fold([stored(1), stored(2)], [in_log(3), in_log(4)], 3)] == [4]


def test_tombstones_keep_their_place() -> None:
    """A deleted message stays in the page at its place."""
    page = fold([stored(1), stored(2, deleted=True), stored(3)], [], 0)
    assert [(m.seq, m.deleted) for m in page] == [(1, False), (2, True), (3, False)]


def test_only_messages_are_shown() -> None:
    """A clearing or a creation is no message."""
    assert message_of(cleared(3)) is None
    assert message_of(created("general")) is None
    assert fold([], [created("general"), cleared(3)], 0) == []


def test_message_of_an_event() -> None:
    """A message of the log says the same as the event that posted it."""
    event = message(5, "hi", prev=3)
    shown = message_of(event)
    assert isinstance(event.body, MessagePosted)
    assert shown == Message(
        id=event.id, seq=5, prev=3, sender="ann", content="hi", created_at=event.created_at
    )
