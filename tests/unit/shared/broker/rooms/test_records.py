"""A room's record in the broker: what of a room becomes words, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.broker.rooms.records import Operation, operations, room_of, rule_fields
from shared.model.kinds import LogEvent
from shared.model.log_events import (
    Banned,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    MessagePosted,
    ModeratorChanged,
    PasswordChanged,
    RoomDeleted,
    Unbanned,
)
from shared.model.rooms import Room
from shared.model.standings import Standings

RECORD: dict[str, str | int] = {
    "id": 7,
    "kind": "room",
    "key": "r:general",
    "name": "general",
    "password": "",
    "creator": "ann",
    "created": 1000,
    "head": 5,
    "floor": 2,
    "user1": "",
    "user2": "",
}
# A name may hold whatever else a field is called.
names = st.text(max_size=8) | st.sampled_from(["moderator:bob", "banned:", "password_seq", ":"])
standings = st.builds(
    Standings,
    moderators=st.frozensets(names, max_size=3),
    banned=st.frozensets(names, max_size=3),
    kicked=st.dictionaries(names, st.integers(1, 2**53), max_size=3),
)


def read(**more: str | int) -> Room:
    """The room of a record with some more fields."""
    words = [str(word).encode() for pair in (RECORD | more).items() for word in pair]
    return room_of("r:general", 1, words)


@pytest.mark.parametrize(
    ("body", "done"),
    [
        (MessagePosted("ann", "hi", "m1"), []),
        (HistoryCleared("ann"), [("seq", "floor", "")]),
        (MessageDeleted("ann", 2048, 2), [("delete", "", 2)]),
        (RoomDeleted(""), [("drop", "", "")]),
        (Kicked("b b", "ann"), [("seq", "kicked:b b", "")]),
        (
            Banned("bob", "ann"),
            [("seq", "kicked:bob", ""), ("set", "banned:bob", 1), ("unset", "moderator:bob", "")],
        ),
        (Unbanned("bob", "ann"), [("unset", "banned:bob", "")]),
        (ModeratorChanged("bob", "ann", moderator=True), [("set", "moderator:bob", 1)]),
        (ModeratorChanged("bob", "ann", moderator=False), [("unset", "moderator:bob", "")]),
        (
            PasswordChanged("ann", protected=True, password_hash="$h m=1"),
            [("seq", "password_seq", ""), ("set", "password", "$h m=1")],
        ),
    ],
)
def test_what_an_event_does_to_the_record(body: LogEvent, done: list[Operation]) -> None:
    """Each kind of event changes the fields of the record that builds before this one read."""
    assert operations(body.changes()) == done


@given(standings, st.integers(0, 2**53))
def test_rules_survive_the_record(known: Standings, password_seq: int) -> None:
    """What is remembered of users, whatever they are called, is read as it was written."""
    room = read(password_seq=password_seq)
    words = iter(rule_fields(replace(room, standings=known)))
    again = read(**{str(name): str(value) for name, value in zip(words, words, strict=True)})
    assert (again.standings, again.password_seq) == (known, password_seq)


def test_a_record_of_another_build() -> None:
    """What an older build left out is as in a new room; what a newer one added is passed over."""
    assert read().password_seq == 0
    assert read(subject="fish", **{"muted:bob": "a while"}) == read()
