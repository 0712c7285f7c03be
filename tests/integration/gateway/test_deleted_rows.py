"""Pages, resumes and lists of chats behind deleted messages: whole, and in bounded work."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event

from gateway.rooms.store.pages.history import Page
from shared.broker.rooms.send import Accepted
from shared.model.ids import TOP
from shared.model.log_events import Kicked, MessageDeleted, MessagePosted
from shared.model.rooms import Room
from shared.model.timeline import Message
from tests.support.plans import plans_of
from tests.support.stage import Stage

few = settings(settings.get_profile("integration"), max_examples=25)
stored_or_not = pytest.mark.parametrize("stored", [True, False], ids=["in SQL", "in the log"])
End = Callable[[], Awaitable[None]]

MANY = 100_000
"""Deleted messages in a row that are written straight into SQL."""


@pytest.fixture
async def persister(stage: Stage) -> AsyncIterator[End]:
    """A persister, and what ends it."""
    async with stage.storing() as end:
        yield end


@pytest.fixture
def small_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is read in such small parts that a short test needs many of them."""
    monkeypatch.setattr("shared.broker.rooms.logs.MAX_ENTRIES_READ", 5)
    monkeypatch.setattr("shared.broker.rooms.logs.MAX_GONE_SEQS", 3)
    monkeypatch.setattr("gateway.rooms.store.gone.MAX_GONE_SEQS", 3)
    monkeypatch.setattr("gateway.rooms.store.replay.MAX_PAGE_EVENTS", 4)


async def send_many(stage: Stage, room: Room, begin: int, end: int) -> list[Accepted]:
    return await asyncio.gather(*(stage.send(room, f"m{n}") for n in range(begin, end)))


async def delete_all(stage: Stage, room: Room, messages: list[Accepted]) -> None:
    await asyncio.gather(*(stage.delete(room, message) for message in messages))


def contents(items: list[Message]) -> list[str]:
    return [item.content for item in items if not item.deleted]


async def pages(
    read: Callable[[int], Awaitable[Page]], begin: int, limit: int
) -> AsyncIterator[list[str]]:
    """The texts of page after page; each is full, or the last one."""
    at: int | None = begin
    while at is not None:
        page = await read(at)
        assert not page.partial
        shown = contents(page.items)
        assert len(shown) == limit or page.next is None
        assert len(page.items) <= 2 * limit
        yield shown
        assert page.next != at
        at = page.next


async def backward(stage: Stage, room: Room, limit: int) -> list[str]:
    found: list[str] = []
    async for shown in pages(lambda at: stage.history.newest(room, limit, at), TOP, limit):
        found = shown + found
    return found


async def forward(stage: Stage, room: Room, limit: int) -> list[str]:
    found: list[str] = []
    async for shown in pages(lambda at: stage.history.after(room, at, limit), 0, limit):
        found += shown
    return found


@stored_or_not
async def test_what_is_behind_deleted_messages(
    stage: Stage, persister: End, *, stored: bool
) -> None:
    """Of 20 messages and 100 more that were deleted one by one, pages show the 20."""
    room = await stage.make()
    if not stored:
        await persister()
    await send_many(stage, room, 0, 20)
    await delete_all(stage, room, await send_many(stage, room, 20, 120))
    if stored:
        await stage.all_stored(room, 220)
        await stage.trimmed()
    every = [f"m{n}" for n in range(20)]
    page = await stage.history.newest(room, 100)
    assert (contents(page.items), page.next, page.head) == (every, None, 220)
    page = await stage.history.newest(room, 5)
    assert contents(page.items) == every[-5:]
    assert page.next is not None
    for limit in (1, 5, 19, 20, 21, 100):
        assert await backward(stage, room, limit) == every
        assert await forward(stage, room, limit) == every


steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 9)),
        st.tuples(st.just("delete"), st.integers(0, 60), st.integers(1, 20)),
        st.just(("kick",)),
        st.just(("clear",)),
        st.just(("store",)),
    ),
    min_size=2,
    max_size=12,
)


@few
@given(steps=steps, limit=st.integers(1, 12))
@pytest.mark.usefixtures("small_reads")
async def test_pages_are_what_a_plain_model_says(
    rooms: "Rooms", steps: list[tuple[Any, ...]], limit: int
) -> None:
    """After any sends, deletions, clearings and kicks, stored or not, all that is left is shown."""
    room, expected = await rooms.play(steps)
    stage = rooms.stage
    assert await backward(stage, room, limit) == expected
    assert await forward(stage, room, limit) == expected
    assert await replayed(stage, room) == expected


async def replayed(stage: Stage, room: Room) -> list[str]:
    """The texts that a resume from the beginning brings."""
    at, more, found = 0, True, list[str]()
    while more:
        page = await stage.replay.after(room, at)
        assert page.up_to > at or not page.more
        found += [e.body.content for e in page.events if isinstance(e.body, MessagePosted)]
        at, more = page.up_to, page.more
    return found


class Rooms:
    """Plays steps in fresh rooms of one stage, whose logs hold 100 entries."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._round = 0

    async def play(self, steps: list[tuple[Any, ...]]) -> tuple[Room, list[str]]:
        """Do the steps; return the room, and the texts that are left in it."""
        self._round += 1
        stage, left, number = self.stage, list[tuple[str, Accepted]](), 0
        room = await stage.make(f"room {self._round}")
        for n, step in enumerate(steps):
            match step:
                case ("send", count):
                    sent = await send_many(stage, room, number, number + count)
                    left += [(f"m{number + n}", each) for n, each in enumerate(sent)]
                    number += count
                case ("delete", begin, count):
                    await delete_all(stage, room, [m for _, m in left[begin : begin + count]])
                    del left[begin : begin + count]
                case ("kick",):
                    await stage.publisher.send(room, "ann", f"kick {n}", Kicked("bob", "ann"))
                case ("clear",):
                    await stage.clear(room, f"clear {n}")
                    left.clear()
                case ("store",):
                    async with stage.storing():
                        await stage.trimmed()
            # What pages remember of deleted messages has to hold whatever comes next.
            page = await stage.history.newest(room, 3)
            assert contents(page.items) == [text for text, _ in left[-3:]]
        return room, [text for text, _ in left]


@pytest.fixture
async def rooms(stage: Stage) -> Rooms:
    """Rooms, of which a persister has opened the partitions."""
    async with stage.storing():
        pass
    return Rooms(stage)


async def fill_with_deleted(stage: Stage, room: Room, first: int) -> None:
    """Write deleted messages and the events of their deletion into SQL, from a seq on."""

    def write() -> None:
        with sqlite3.connect(stage.database.path, timeout=30) as connection:
            connection.executemany(
                "INSERT INTO events (id, room_id, seq, prev, kind, sender, content, client_msg_id,"
                " deleted, created_at, epoch) VALUES (?, ?, ?, ?, ?, 'ann', NULL, ?, ?, 1, 1)",
                (
                    (seq << 24, room.id, seq, seq - 1, kind, f"d{seq}", deleted)
                    for kind, deleted, begin in (("message", 1, 0), ("delete", 0, MANY))
                    for seq in range(first + begin, first + begin + MANY)
                ),
            )

    await asyncio.to_thread(write)


class Work:
    """Counts the statements of an engine and the steps that SQLite takes for them."""

    def __init__(self, stage: Stage) -> None:
        self.statements = 0
        self.steps = 0
        engine = stage.engine.sync_engine
        sqlalchemy_event.listen(engine, "before_cursor_execute", self._execute)

    def _execute(self, connection: Any, *_: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        self.statements += 1
        connection.connection.driver_connection._conn.set_progress_handler(self._step, 100)  # noqa: SLF001 - aiosqlite has no such method

    def _step(self) -> int:
        self.steps += 100
        return 0


async def test_deleted_rows_are_not_read(stage: Stage, persister: End) -> None:
    """Behind 100,000 deleted messages in SQL, pages and lists cost what they cost without."""
    chat = await stage.chat()
    await send_many(stage, chat, 0, 20)
    await stage.all_stored(chat, 20)
    await stage.trimmed()
    work = Work(stage)

    async def cost_of_reading() -> tuple[int, int]:
        await stage.gone_quiet_at_once(chat)
        before = work.statements, work.steps
        assert contents((await stage.history.newest(chat, 5)).items)[-1] == "m19"
        assert contents((await stage.history.newest(chat, 100)).items)[0] == "m0"
        [after] = (await stage.history.after(chat, 19, 5)).items[-1:]
        assert after.seq >= 20
        [listed] = await stage.listed("bob")
        assert listed.last_message
        assert (listed.unread, listed.last_message.content) == (20, "m19")
        return work.statements - before[0], work.steps - before[1]

    await cost_of_reading()  # opens connections
    alone = await cost_of_reading()
    await fill_with_deleted(stage, chat, 21)
    behind = await cost_of_reading()
    assert behind[0] <= alone[0] + 4
    assert behind[1] <= alone[1] + 60_000  # 1,000,000 at least, where each row is looked at
    await persister()


@pytest.mark.usefixtures("small_reads")
async def test_deleted_messages_of_a_log_are_passed_over(stage: Stage, persister: End) -> None:
    """A page looks at each entry of a log once; the next one passes over what was deleted."""
    await persister()
    room = await stage.make()
    await send_many(stage, room, 0, 20)
    await delete_all(stage, room, await send_many(stage, room, 20, 220))

    async def calls(reading: Awaitable[Page], expected: list[str]) -> int:
        before = await script_calls(stage)
        assert contents((await reading).items) == expected
        return await script_calls(stage) - before

    every = [f"m{n}" for n in range(20)]
    assert await calls(stage.history.newest(room, 5), every[-5:]) <= 420 / 5 + 2
    for _ in range(3):
        assert await calls(stage.history.newest(room, 5), every[-5:]) <= 3
        assert await calls(stage.history.newest(room, 5, 200), every[-5:]) <= 3
        assert await calls(stage.history.after(room, 10, 50), every[10:]) <= 5
        await delete_all(stage, room, await send_many(stage, room, 300, 302))


async def script_calls(stage: Stage) -> int:
    """The calls of scripts that the broker has run."""
    stats = await stage.server.admin.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha"))


async def test_queries_use_the_index_of_what_is_visible(stage: Stage, persister: End) -> None:
    """SQLite's plan for pages, last messages and unread counts is the index of visible messages."""
    chat = await stage.chat()
    await send_many(stage, chat, 0, 3)
    await stage.trimmed()

    async def plan_of(reading: Awaitable[object]) -> list[str]:
        return [plan for plan in await plans_of(stage.engine, reading) if "events" in plan]

    for reading in (
        stage.chats._reader.last_message(chat.id, 0, TOP, frozenset({7})),  # noqa: SLF001
        stage.chats._reader.unread(chat.id, "bob", 0, TOP, frozenset({7})),  # noqa: SLF001
        stage.history._pages.read(chat.id, 0, TOP, 50, 50, newest=False),  # noqa: SLF001
    ):
        assert "USING INDEX ix_events_visible (room_id=? AND seq>?" in (await plan_of(reading))[-1]
    listed = await plan_of(stage.chats._reader.chats("bob"))  # noqa: SLF001
    assert all("ix_events_visible" in plan for plan in listed)
    await persister()


@pytest.mark.usefixtures("small_reads")
async def test_unread_counts_behind_deletions_that_sql_lacks(stage: Stage, persister: End) -> None:
    """Counts and last messages are true where SQL lacks more deletions than one query takes."""
    chat = await stage.chat()
    stored = await send_many(stage, chat, 0, 130)
    await stage.all_stored(chat, 130)
    await stage.cut(chat)
    await persister()
    await delete_all(stage, chat, stored[7:])
    later = await send_many(stage, chat, 130, 150)

    async def listed(user: str) -> tuple[int, str | None]:
        [found] = await stage.listed(user)
        return found.unread, found.last_message.content if found.last_message else None

    assert await listed("bob") == (27, "m149")
    assert await listed("ann") == (0, "m149")
    await delete_all(stage, chat, later)
    assert await listed("bob") == (7, "m6")
    await stage.see(chat, "bob", 3)
    assert await listed("bob") == (4, "m6")
    assert await backward(stage, chat, 4) == [f"m{n}" for n in range(7)]
    assert await forward(stage, chat, 4) == [f"m{n}" for n in range(7)]
    assert await replayed(stage, chat) == [f"m{n}" for n in range(7)]


async def test_a_resume_over_deleted_messages_ends(stage: Stage, persister: End) -> None:
    """A resume and a gateway's catching up go on over more deleted messages than a page holds."""
    await persister()
    room = await stage.make()
    await send_many(stage, room, 0, 1)
    await delete_all(stage, room, await send_many(stage, room, 1, 2100))
    at, more, kinds = 1, True, list[type]()
    async with asyncio.timeout(30):
        while more:
            page = await stage.replay.after(room, at)
            assert page.unbroken or at != 1
            kinds += [type(event.body) for event in page.events]
            at, more = page.up_to, page.more
    assert kinds == [MessageDeleted] * 2099
