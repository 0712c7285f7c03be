"""History as a fold."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.model.events import Event
from shared.model.log_events import MessagePosted
from shared.model.timeline import Changes, Message, Move, fold, message_of
from tests.support.events import cleared, created, deleted, message

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


moves = st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 30)), max_size=12)


def made(steps: list[tuple[str, int]]) -> tuple[Move, ...]:
    """Moves as the broker would let them happen: each one forward, one a millisecond."""
    at = {"ann": 0, "bob": 0}
    found = []
    for n, (user, seq) in enumerate(steps):
        if seq > at[user]:
            found.append(Move(user, at[user], seq, 5000 + n))
            at[user] = seq
    return tuple(found)


@given(moves, st.integers(1, 30))
def test_seen_when_first_covered(steps: list[tuple[str, int]], seq: int) -> None:
    """A message was seen at the first move of another user that went to it or past it."""
    changes = Changes(moves=made(steps))
    [shown] = fold([stored(seq)], [], 0, changes)
    others = [move.at for move in changes.moves if move.user != "ann" and move.seq >= seq]
    assert shown.seen_at == (others[0] if others else None)


@given(moves, st.integers(1, 30), st.integers(1, 10_000))
def test_what_sql_says_of_seen_stands(steps: list[tuple[str, int]], seq: int, at: int) -> None:
    """A message that SQL has as seen keeps that time: moves of the log are no earlier."""
    before = replace(stored(seq), seen_at=at)
    [shown] = fold([before], [], 0, Changes(moves=made(steps)))
    assert shown.seen_at == at


@given(places, st.sets(st.integers(1, 30)))
def test_gone_messages_are_tombstones(seqs: list[int], gone: set[int]) -> None:
    """What is gone keeps its place and says nothing, from SQL and from the log alike."""
    changes = Changes(frozenset(gone))
    for page in (
        fold([stored(seq) for seq in seqs], [], 0, changes),
        fold([], [message(seq) for seq in seqs], 0, changes),
    ):
        assert [m.seq for m in page] == sorted(seqs)
        assert {m.seq for m in page if m.deleted} == set(seqs) & gone
        assert all((m.content == "") == m.deleted for m in page)


def test_a_deletion_is_no_message() -> None:
    """A deletion of one message takes a place, and nothing is shown there."""
    assert message_of(deleted(4, 2)) is None
    assert [m.seq for m in fold([], [message(3), deleted(4, 2)], 0)] == [3]
