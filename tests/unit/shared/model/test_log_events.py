"""The registry of events of rooms' logs: whole, and the same as what is stored already."""

from collections.abc import Iterable
from typing import Any

import msgpack
import pytest
from hypothesis import given
from msgspec.structs import fields, replace

from persister.batch import event_row
from shared import codec
from shared.model.events import KNOWN_TAGS, Event
from shared.model.formats import NEWEST
from shared.model.kinds import SKIPPED, WHERE, LogEvent
from shared.model.log_events import (
    BY_ROW,
    LOG_EVENTS,
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
from tests.support.events import log_events

AS_BEFORE: list[tuple[LogEvent, list[Any], dict[str, Any] | None]] = [
    (
        MessagePosted("ann", "hi", "m1"),
        ["message", "ann", "hi", "m1"],
        {"kind": "message", "sender": "ann", "content": "hi", "client_msg_id": "m1"},
    ),
    (HistoryCleared("ann"), ["clear", "ann"], {"kind": "clear", "sender": "ann"}),
    (
        MessageDeleted("ann", 2048, 2),
        ["delete", "ann", 2048, 2],
        {"kind": "delete", "sender": "ann", "target_id": 2048, "target_seq": 2},
    ),
    (RoomDeleted("ann"), ["drop", "ann"], None),
    (
        Kicked("bob", "ann"),
        ["kick", "bob", "ann"],
        {"kind": "kick", "sender": "ann", "target_user": "bob"},
    ),
    (
        Banned("bob", "ann"),
        ["ban", "bob", "ann"],
        {"kind": "ban", "sender": "ann", "target_user": "bob"},
    ),
    (
        Unbanned("bob", "ann"),
        ["unban", "bob", "ann"],
        {"kind": "unban", "sender": "ann", "target_user": "bob"},
    ),
    (
        ModeratorChanged("bob", "ann", moderator=True),
        ["moderate", "bob", "ann", True],
        {"kind": "promote", "sender": "ann", "target_user": "bob"},
    ),
    (
        ModeratorChanged("bob", "ann", moderator=False),
        ["moderate", "bob", "ann", False],
        {"kind": "demote", "sender": "ann", "target_user": "bob"},
    ),
    (
        PasswordChanged("ann", protected=True, password_hash="$hash"),
        ["password", "ann", True, "$hash"],
        {"kind": "lock", "sender": "ann"},
    ),
    (
        PasswordChanged("ann", protected=False),
        ["password", "ann", False, ""],
        {"kind": "unlock", "sender": "ann"},
    ),
]
"""Events, how builds before the registry wrote them into streams and logs, and how into SQL."""

NULLS: dict[str, None] = dict.fromkeys(
    ("sender", "content", "client_msg_id", "target_id", "target_seq", "target_user")
)


def tagged(kind: type[LogEvent] = LogEvent) -> Iterable[type[LogEvent]]:
    """The kinds that there are, registered or not."""
    for below in kind.__subclasses__():
        if below.__struct_config__.tag is not None:
            yield below
        yield from tagged(below)


def test_every_kind_is_registered_once() -> None:
    """Every kind is in the registry once, with a tag and rows that no other one has."""
    assert sorted(map(repr, LOG_EVENTS)) == sorted(map(repr, tagged()))
    tags = [kind.__struct_config__.tag for kind in LOG_EVENTS]
    assert len(set(tags)) == len(tags)
    assert set(tags) < KNOWN_TAGS
    assert len(BY_ROW) == sum(len(kind.stored.kinds) for kind in LOG_EVENTS if kind.stored)
    assert "void" not in BY_ROW
    assert {type(body) for body, _, _ in AS_BEFORE} == set(LOG_EVENTS)


@pytest.mark.parametrize("kind", LOG_EVENTS)
def test_every_kind_has_a_place_for_sql_and_clients(kind: type[LogEvent]) -> None:
    """No kind leaves a hole in SQL or for clients, but the one with which its room ends."""
    if kind is RoomDeleted:
        return
    assert kind.stored
    assert "sender" in kind.stored.columns
    if kind is not MessagePosted:  # it has an announcement of its own
        assert kind.announced_as != SKIPPED
        assert {"seq", "prev"} <= set(kind.announced_as.payload)
        names = {field.name for field in fields(kind)}
        assert set(kind.announced_as.payload) <= names | {WHERE, "seq", "prev"}


@pytest.mark.parametrize(("body", "written", "row"), AS_BEFORE)
def test_what_is_stored_stays_readable(
    body: LogEvent, written: list[Any], row: dict[str, Any] | None
) -> None:
    """Streams, logs and rows hold what they held before, field by field, and it is read back."""
    event = Event(NEWEST, 7, 3072, 3, 2, 1003, body)
    whole = codec.encode(event)
    assert msgpack.unpackb(whole)[6] == written
    assert codec.decode(whole) == event
    assert body.row() == row
    if row:
        stored = {**NULLS, **row}
        assert {name: event_row(event, 1)._asdict()[name] for name in stored} == stored
        assert BY_ROW[row["kind"]].of_row(stored) == without_secrets(body)


@given(log_events)
def test_a_row_and_back(body: LogEvent) -> None:
    """Whatever happens comes out of its row as it went in, but for a password's hash."""
    row = body.row()
    if row is None:
        return
    assert BY_ROW[row["kind"]].of_row({**NULLS, **row}) == without_secrets(body)


def test_a_row_without_its_text() -> None:
    """A row whose texts were taken away is an event with empty ones."""
    assert HistoryCleared.of_row({**NULLS, "kind": "clear"}) == HistoryCleared("")


def test_who_is_put_out() -> None:
    """A kick and a ban put their user out, and nothing else puts anybody out."""
    out = {type(body): body.removed_user for body, _, _ in AS_BEFORE if body.removed_user}
    assert out == {Kicked: "bob", Banned: "bob"}


def without_secrets(body: LogEvent) -> LogEvent:
    """An event as SQL gives it back."""
    return replace(body, password_hash="") if isinstance(body, PasswordChanged) else body
