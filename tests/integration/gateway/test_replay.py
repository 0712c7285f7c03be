"""Events again for those who missed them: from the log, and from SQL below it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.replay import Replay, Replayed
from shared.errors import ChatError
from shared.model.events import Event
from shared.model.ids import TOP
from shared.model.log_events import HistoryCleared, MessageDeleted, MessagePosted
from shared.model.rooms import Room
from shared.storage.engine import open_engine
from shared.storage.reader import Reader
from tests.support.stage import Stage
from tests.support.waiting import HANGS_AFTER

few = settings(settings.get_profile("integration"), max_examples=25)


@pytest.fixture
async def room(stage: Stage) -> AsyncIterator[Room]:
    """A room of 250 messages, of which the log has the last 100; its persister runs."""
    async with stage.storing():
        made = await stage.make()
        await asyncio.gather(*(stage.send(made, f"m{n}") for n in range(1, 251)))
        await stage.all_stored(made, 250)
        await stage.trimmed()
        await stage.cut(made)
        yield made


async def replayed(replay: Replay, room: Room, seq: int) -> list[Event]:
    """Everything after a place, read until there is no more."""
    found: list[Event] = []
    more = True
    while more:
        page = await replay.after(room, seq)
        assert page.up_to > seq or not page.more
        found, more, seq = found + page.events, page.more, page.up_to
    return found


def places(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


@few
@given(seq=st.integers(0, 255) | st.sampled_from([149, 150, 151, 249, 250]))
async def test_everything_after_a_place(stage: Stage, room: Room, seq: int) -> None:
    """What comes after any place, in the log, below it or at its edge, comes once and in order."""
    events = await replayed(stage.replay, room, seq)
    assert places(events) == list(range(seq + 1, 251))
    assert [(event.prev, event.room_id) for event in events] == [
        (n, room.id) for n in range(seq, 250)
    ]


@pytest.mark.parametrize("page", [1, 7, 49, 50, 51, 100])
async def test_page_by_page(
    stage: Stage, room: Room, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of any size go over the end of the log without a gap, and say when there is more."""
    monkeypatch.setattr("gateway.rooms.store.replay.MAX_PAGE_EVENTS", page)
    first = await stage.replay.after(room, 100)
    assert first.more
    assert places(first.events)[0] == 101
    assert places(await replayed(stage.replay, room, 100)) == list(range(101, 251))


async def test_sql_says_what_the_log_said(stage: Stage, room: Room) -> None:
    """An event read from SQL is the event that the log had: bodies, ids and times."""
    await stage.delete(room, await stage.send(room, "one"))
    await stage.clear(room)
    await stage.send(room, "after")
    await stage.trimmed()
    part = await stage.logs.read_log(room.key, lowest=251, limit=100)
    assert part is not None
    from_sql = await stage.reader.events(room.id, 250, TOP, 100)
    # What was deleted since is left out of SQL's word.
    assert from_sql.events == [e for e in part.events if e.seq != 251]
    assert [type(event.body) for event in from_sql.events] == [
        MessageDeleted,
        HistoryCleared,
        MessagePosted,
    ]


async def test_what_was_deleted_is_not_said_again(stage: Stage, room: Room) -> None:
    """From SQL a deleted message does not come back; that it was deleted does."""
    sent = await stage.send(room, "secret")
    await stage.delete(room, sent)
    await stage.trimmed()
    await stage.gone_quiet_at_once(room)
    events = await replayed(stage.replay, room, 249)
    assert [(e.seq, type(e.body)) for e in events] == [(250, MessagePosted), (252, MessageDeleted)]


async def test_a_room_that_is_not_held(stage: Stage, room: Room) -> None:
    """Of a room that left the broker, or is of another epoch, everything comes from SQL."""
    await stage.gone_quiet_at_once(room)
    assert places(await replayed(stage.replay, room, 200)) == list(range(201, 251))
    await stage.server.flush()
    await stage.in_epoch(2)
    assert places(await replayed(stage.replay, room, 0)) == list(range(1, 251))


async def test_over_a_fence(stage: Stage, room: Room) -> None:
    """What was said before and after the broker lost everything is one order."""
    await stage.server.flush()
    await stage.in_epoch(2)
    later = [(await stage.insist(room, f"later {n}")).seq for n in range(3)]
    assert places(await replayed(stage.replay, room, 240)) == [*range(241, 251), *later]


async def test_not_stored_yet(stage: Stage, room: Room) -> None:
    """What SQL does not have yet comes from the log, behind what only SQL has."""
    async with stage.database.locked():
        await stage.send(room, "fresh")
        assert places(await replayed(stage.replay, room, 100)) == list(range(101, 252))


async def test_another_room_of_the_key(stage: Stage, room: Room) -> None:
    """Nothing of a chat that was made anew under its key is said of the old one."""
    old = await stage.chat()
    await stage.send(old, "old")
    await stage.drop(old)
    new = await stage.chat()
    await stage.send(new, "new")
    await stage.trimmed()
    assert await replayed(stage.replay, old, 0) == []
    assert room.id != new.id


async def test_database_away(stage: Stage, room: Room) -> None:
    """While SQL is away the log is enough for what it has; below it is an error, no gap."""
    engine = open_engine("sqlite+aiosqlite:////nowhere/x.db", writes=False)
    replay = Replay(stage.logs, Reader(engine))
    assert places(await replayed(replay, room, 150)) == list(range(151, 251))
    with pytest.raises(ChatError) as caught:
        await replay.after(room, 149)
    assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


def whole(local: LocalRoom) -> None:
    """Nothing is lost in these tests."""
    raise AssertionError(local.name)


async def test_a_followed_room_that_fell_behind_its_log(stage: Stage, room: Room) -> None:
    """A room whose gap reaches below its log gets all of it, from SQL first, then what waited."""
    delivered: list[int] = []
    behind = replace(room, head=20)
    local = LocalRoom(
        behind, "c", stage.replay, lambda _, event: delivered.append(event.seq), whole
    )
    [last] = (await stage.reader.events(room.id, 249, TOP, 1)).events
    local.receive(last)  # its `prev` is missing, and so are 229 before it
    await asyncio.wait_for(local.synced, HANGS_AFTER)
    assert delivered == list(range(21, 251))
    assert local.head == 250


async def test_a_followed_room_whose_gap_cannot_be_read(stage: Stage, room: Room) -> None:
    """While SQL is away nothing above the gap is delivered; once it is back, everything is."""
    replay, delivered = Flaky(stage), []
    behind = replace(room, head=20)
    local = LocalRoom(behind, "c", replay, lambda _, event: delivered.append(event.seq), whole)
    [last] = (await stage.reader.events(room.id, 249, TOP, 1)).events
    local.receive(last)
    await asyncio.sleep(0.1)
    assert (delivered, local.synced.done()) == ([], False)
    replay.away = False
    await asyncio.wait_for(local.synced, HANGS_AFTER)
    assert delivered == list(range(21, 251))


class Flaky(Replay):
    """A replay whose SQL is away at first."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.logs, stage.reader)
        self.away = True

    async def after(self, room: Room, seq: int, limit: int | None = None) -> Replayed:
        """As ever, when it is there."""
        if self.away:
            raise ChatError("storage_unavailable", "away")
        return await super().after(room, seq, limit)
