"""Pages of history: the log and SQL as one order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.pages.history import History
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.rooms import Room
from shared.model.timeline import Message
from shared.storage.engine import open_engine
from shared.storage.pages import PageReader
from shared.storage.reader import Reader
from tests.support.stage import Stage

few = settings(settings.get_profile("integration"), max_examples=25)


@pytest.fixture
async def room(stage: Stage) -> AsyncIterator[Room]:
    """A room of 250 messages, of which the log has the last 100; its persister runs."""
    async with stage.storing():
        made = await stage.make()
        for start in range(0, 250, 50):
            await asyncio.gather(*(stage.send(made, f"m{n}") for n in range(start, start + 50)))
        await stage.all_stored(made, 250)
        await stage.trimmed()
        await stage.cut(made)
        yield made


async def backwards(history: History, room: Room, limit: int) -> list[Message]:
    """The whole history, page by page from its end."""
    before: int | None = TOP
    found: list[Message] = []
    while before is not None:
        page = await history.newest(room, limit, before)
        assert len(visible(page.items)) == limit or page.next is None
        assert not page.partial
        assert page.next is None or page.next < before
        before, found = page.next, page.items + found
    return found


async def forwards(history: History, room: Room, limit: int) -> list[Message]:
    """The whole history, page by page from its beginning."""
    after: int | None = 0
    found: list[Message] = []
    while after is not None:
        page = await history.after(room, after, limit)
        assert len(visible(page.items)) == limit or page.next is None
        assert not page.partial
        assert page.next is None or page.next > after
        after, found = page.next, found + page.items
    return found


def visible(items: list[Message]) -> list[Message]:
    return [item for item in items if not item.deleted]


def contents(items: list[Message]) -> list[str]:
    return [item.content for item in items]


def away(stage: Stage, tmp_path: Path) -> tuple[History, Directory]:
    """History and directory of a gateway whose database cannot be reached."""
    reader = Reader(open_engine(f"sqlite+aiosqlite:///{tmp_path}/nowhere/x.db", writes=False))
    directory = Directory(stage.rooms, reader)
    return History(
        *(stage.logs, directory, reader),
        *(EpochCheck(reader, stage.fence), stage.keys, stage.fence),
    ), directory


@few
@given(limit=st.integers(7, 300))
async def test_pages_are_the_whole(stage: Stage, room: Room, limit: int) -> None:
    """Page by page, either way and over the end of the log, history is every message once."""
    expected = [f"m{n}" for n in range(250)]
    assert contents(await backwards(stage.history, room, limit)) == expected
    assert contents(await forwards(stage.history, room, limit)) == expected


@few
@given(place=st.integers(0, 260), limit=st.integers(1, 120))
async def test_any_page(stage: Stage, room: Room, place: int, limit: int) -> None:
    """A page is the messages next to its bound, so many at the most, with the room's head."""
    every = list(range(1, 251))
    after = await stage.history.after(room, place, limit)
    assert [item.seq for item in after.items] == [seq for seq in every if seq > place][:limit]
    before = await stage.history.newest(room, limit, place)
    assert [item.seq for item in before.items] == [seq for seq in every if seq < place][-limit:]
    assert (after.head, before.head, after.epoch) == (250, 250, 1)
    assert not after.partial
    assert not before.partial


async def test_items_say_what_was_sent(stage: Stage, room: Room) -> None:
    """An item from the log and the same item from SQL say the same."""
    page = await stage.history.newest(room, 1000)
    from_sql = await PageReader(stage.reader).read(room.id, 0, 1000, 1000, 9, newest=False)
    assert page.items == from_sql.items
    assert [(item.seq, item.prev) for item in page.items] == [(n, n - 1) for n in range(1, 251)]


async def test_persister_away(stage: Stage) -> None:
    """While no persister runs, history is complete: what SQL has and everything after it."""
    async with stage.storing():
        room = await stage.make()
        await asyncio.gather(*(stage.send(room, f"m{n}") for n in range(150)))
        await stage.all_stored(room, 150)
        await stage.trimmed()
    await asyncio.gather(*(stage.send(room, f"n{n}") for n in range(150)))
    assert len(await stage.stored(room)) == 150
    expected = [f"m{n}" for n in range(150)] + [f"n{n}" for n in range(150)]
    for limit in (7, 100, 1000):
        assert contents(await backwards(stage.history, room, limit)) == expected
        assert contents(await forwards(stage.history, room, limit)) == expected


async def test_database_away(stage: Stage, room: Room, tmp_path: Path) -> None:
    """While SQL is away, history reaches as far as the log and says that it is partial.

    Also where the log has all of a page: only SQL knows whether a failover left its server behind.
    """
    history, _ = away(stage, tmp_path)
    page = await history.newest(room, 150)
    assert [item.seq for item in page.items] == list(range(151, 251))
    assert (page.partial, page.head) == (True, 250)
    page = await history.newest(room, 50)
    assert [item.seq for item in page.items] == list(range(201, 251))
    assert page.partial
    page = await history.after(room, 200, 1000)
    assert [item.seq for item in page.items] == list(range(201, 251))
    assert page.partial


async def test_database_away_and_a_hole(stage: Stage, room: Room, tmp_path: Path) -> None:
    """While SQL is away, a page that would begin above a hole is an error, retryable."""
    history, _ = away(stage, tmp_path)
    with pytest.raises(ChatError) as caught:
        await history.after(room, 100, 10)
    assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


async def test_database_away_for_a_new_room(stage: Stage, room: Room, tmp_path: Path) -> None:
    """While SQL is away, a room whose log has everything from its beginning is shown whole."""
    history, _ = away(stage, tmp_path)
    fresh = await stage.make("fresh")
    await stage.send(fresh, "m1")
    page = await history.newest(fresh, 100)
    assert (contents(page.items), page.partial) == (["m1"], True)
    assert room.id != fresh.id


async def test_broker_away(stage: Stage, room: Room) -> None:
    """While the broker is away, history is what SQL has, and says that it is partial."""
    await stage.server.kill()
    page = await stage.history.newest(room, 300)
    assert [item.seq for item in page.items] == list(range(1, 251))
    assert (page.partial, page.head) == (True, 250)


@pytest.mark.parametrize("persisted", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_cleared(stage: Stage, limit: int, *, persisted: bool) -> None:
    """After a clearing, history either way is exactly what was said since."""
    async with stage.storing() as end:
        room = await stage.make()
        await asyncio.gather(*(stage.send(room, f"m{n}") for n in range(20)))
        await stage.all_stored(room, 20)
        if not persisted:
            await end()
        await stage.clear(room)
        await asyncio.gather(*(stage.send(room, f"n{n}") for n in range(10)))
        if persisted:
            await stage.all_stored(room, 31)
        expected = [f"n{n}" for n in range(10)]
        assert contents(await backwards(stage.history, room, limit)) == expected
        assert contents(await forwards(stage.history, room, limit)) == expected


@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_deletions_that_are_not_stored(stage: Stage, limit: int) -> None:
    """While nothing is stored, pages have no hole, however many deletions are in between."""
    async with stage.storing() as end:
        room = await stage.make()
        sent = [await stage.send(room, f"m{n}") for n in range(5)]
        await stage.all_stored(room, 5)
        await end()
        sent += [await stage.send(room, f"m{n}") for n in range(5, 25)]
        for gone in (3, 20, 21, 22, 23):
            await stage.delete(room, sent[gone])
        expected = [f"m{n}" for n in range(25) if n not in (3, 20, 21, 22, 23)]
        assert contents(visible(await backwards(stage.history, room, limit))) == expected
        assert contents(visible(await forwards(stage.history, room, limit))) == expected


async def test_void_in_the_middle(stage: Stage, room: Room) -> None:
    """A place that was voided is a tombstone, and the pages go on around it."""
    await stage.database.run(
        "UPDATE events SET kind = 'void', deleted = 1, content = NULL, sender = NULL WHERE seq = 60"
    )
    page = await stage.history.newest(room, 3, 62)
    assert [(item.seq, item.deleted, item.content) for item in page.items] == [
        (58, False, "m57"),
        (59, False, "m58"),
        (60, True, ""),
        (61, False, "m60"),
    ]


async def test_after_a_fence(stage: Stage, room: Room) -> None:
    """After the broker lost everything, pages go over the jump in the numbers."""
    await stage.server.flush()
    await stage.in_epoch(2)
    later = [await stage.insist(room, f"later {n}") for n in range(3)]
    expected = [f"m{n}" for n in range(250)] + [f"later {n}" for n in range(3)]
    assert later[0].seq > 1_000_000
    for limit in (2, 100, 1000):
        assert contents(await backwards(stage.history, room, limit)) == expected
    assert contents(await forwards(stage.history, room, 100)) == expected
