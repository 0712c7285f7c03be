"""The evidence of a run for the checker: events that clients got, and the rows in SQL."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.faults.arena import Arena
from tests.faults.history import History, Item
from tests.faults.strike import Strike
from tests.support.stored import rows


class Row(NamedTuple):
    """An event in SQL; `key` is its clientMsgId."""

    place: str
    seq: int
    prev: int
    id: int
    kind: str
    sender: str
    key: str
    content: str
    deleted: bool
    target: int


class Finding(NamedTuple):
    """An error that the run itself found, such as a wait that did not end."""

    kind: str
    text: str


@dataclass(kw_only=True)
class Evidence:
    """The evidence of a run.

    Attributes:
        begun, ended: of load and faults, by the history's clock.
        strikes: the faults, in order.
        rows: events in SQL, by place and seq.
        cursors: (place, user) to how far, in SQL, before everybody marked all as seen once more.
        members: the users in each place.
        pages: (user, place) to the whole history, as read in the end.
    """

    begun: float
    ended: float
    history: History
    strikes: list[Strike]
    rows: list[Row]
    cursors: dict[tuple[str, str], int]
    members: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[tuple[str, str], list[Item]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def rows_of(database: Path) -> list[Row]:
    """Every event in SQL, by place and seq; a chat's place is `#` and its id."""
    query = """
        SELECT rooms.name, rooms.id, rooms.kind, seq, prev, events.id, events.kind,
               coalesce(sender, ''), coalesce(client_msg_id, ''), coalesce(content, ''),
               events.deleted, coalesce(target_id, 0)
        FROM events JOIN rooms ON rooms.id = room_id ORDER BY room_id, seq
    """
    return [Row(place_of(*found[:3]), *found[3:]) for found in rows(database, query)]


def cursors_of(database: Path) -> dict[tuple[str, str], int]:
    """Every cursor in SQL, by place and user."""
    query = """
        SELECT rooms.name, rooms.id, rooms.kind, user, seq
        FROM cursors JOIN rooms ON rooms.id = room_id
    """
    return {(place_of(*found[:3]), found[3]): found[4] for found in rows(database, query)}


async def cursors_in(arena: Arena) -> dict[tuple[str, str], int]:
    """The same, with places named as in the arena."""
    names = {f"#{place.chat}": name for name, place in arena.places.items() if place.chat}
    found = await asyncio.to_thread(cursors_of, arena.cluster.database)
    return {(names.get(place, place), user): seq for (place, user), seq in found.items()}


def place_of(name: str, room_id: int, kind: str) -> str:
    """A place as SQL names it."""
    return name if kind == "room" else f"#{room_id}"
