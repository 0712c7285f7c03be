"""Pages of what was done in a room: how much is read for one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.rooms.store.pages.moderation_log import MAX_LOOKUPS
from shared.model.ids import TOP
from shared.model.log_events import Kicked
from shared.model.rooms import Room
from shared.storage.moderation import ModerationReader
from tests.support.plans import plans_of
from tests.support.stage import Stage
from tests.support.valkey import Valkey

End = Callable[[], Awaitable[None]]


@pytest.fixture
async def stage(server: Valkey, tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker and a database."""
    made = Stage(server, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def persister(stage: Stage) -> AsyncIterator[End]:
    """A persister that runs, and what ends it."""
    async with stage.storing() as end:
        yield end


async def kick(stage: Stage, room: Room, user: str) -> int:
    """Remove a user; the seq of that."""
    body = Kicked(user, "ann")
    return (await stage.publisher.send(room, "ann", f"kick {user}", body)).seq


async def delete_own(stage: Stage, room: Room, count: int) -> None:
    """Send so many messages, and delete them by the user who sent them."""
    for number in range(count):
        sent = await stage.send(room, f"m{number}", by="bob")
        await stage.delete(room, sent, by="bob")


async def test_many_deletions_that_are_not_stored(stage: Stage, persister: End) -> None:
    """Deletions of own messages are skipped in short pages, and none of the others is lost."""
    room = await stage.make()
    first = await kick(stage, room, "bob")
    await persister()
    await delete_own(stage, room, MAX_LOOKUPS + 5)
    last = await kick(stage, room, "carl")
    page = await stage.acts.page(room, TOP, 10)
    assert [act.event.seq for act in page.acts] == [last]
    assert page.next is not None
    page = await stage.acts.page(room, page.next, 10)
    assert [act.event.seq for act in page.acts] == [first]
    assert (page.next, page.partial) == (None, False)


async def test_a_page_ends_where_it_is_full(stage: Stage, persister: End) -> None:
    """Pages of what SQL has not stored hold as many as were asked for, each once."""
    room = await stage.make()
    await persister()
    done = [await kick(stage, room, f"user {number}") for number in range(5)]
    seen, before = list[int](), TOP
    for size in (2, 2, 1):
        page = await stage.acts.page(room, before, 2)
        assert len(page.acts) == size
        seen += [act.event.seq for act in page.acts]
        before = page.next or 0
    assert seen == done[::-1]
    assert before == 0


async def test_without_the_database(stage: Stage, persister: End) -> None:
    """While SQL is away a page has what the log has, and says that it is partial."""
    room = await stage.make()
    seq = await kick(stage, room, "bob")
    await persister()
    await stage.database.run("ALTER TABLE events RENAME TO away")
    page = await stage.acts.page(room, TOP, 10)
    assert [act.event.seq for act in page.acts] == [seq]
    assert page.partial


async def test_the_query_uses_the_index_of_moderation(stage: Stage, persister: End) -> None:
    """SQLite finds the acts in a room by their own index, and reads no messages for them."""
    room = await stage.make()
    await stage.all_stored(room, 0)
    await persister()
    reading = ModerationReader(stage.reader).newest(room.id, TOP, 10)
    [plan] = [plan for plan in await plans_of(stage.engine, reading) if "events" in plan]
    assert "USING INDEX ix_events_moderation (room_id=? AND seq<?" in plan
