"""Cursors in the broker: forward only, never past the head."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from shared import codec
from shared.broker.partitions.partitions import Head
from shared.broker.rooms.cursors import MoveResult
from shared.broker.rooms.send import RoomNotHeld
from shared.config import Settings
from shared.model.events import CursorMoved, Event
from shared.model.ids import TOP
from shared.model.log_events import RoomDeleted
from shared.model.rooms import Room
from tests.integration.broker.bench import PART, Bench, code_of
from tests.support.waiting import HANGS_AFTER


@pytest.fixture
async def chat(bench: Bench) -> Room:
    """A chat of ann and bob with five messages of ann's."""
    made = await bench.chat()
    await bench.fill(made, 5)
    return made


async def move(
    bench: Bench,
    room: Room,
    seq: int,
    *,
    user: str = "bob",
    stored: int | None = 0,
    settings: Settings | None = None,
    message_id: int = 0,
) -> MoveResult:
    broker = bench.cursor_broker(settings) if settings else bench.cursors
    return await broker.move(room, user, seq, stored=stored, message_id=message_id, origin="gw.sid")


async def moves(bench: Bench) -> list[Event]:
    """Moves on their way to SQL."""
    return [event for _, event in await bench.stream() if isinstance(event.body, CursorMoved)]


class Channels:
    """What is published on some channels."""

    def __init__(self, bench: Bench) -> None:
        self._pubsub = bench.client.pubsub()

    async def follow(self, *channels: str) -> None:
        """Subscribe."""
        await self._pubsub.ssubscribe(*channels)

    async def next(self) -> tuple[str, Event]:
        """The next message: channel and event."""
        async with asyncio.timeout(HANGS_AFTER):
            while True:
                found = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)
                if found:
                    return found["channel"].decode(), codec.decode(found["data"])

    async def close(self) -> None:
        """Unsubscribe."""
        await self._pubsub.aclose()


@pytest.fixture
async def channels(bench: Bench) -> AsyncIterator[Channels]:
    """Follows channels."""
    made = Channels(bench)
    yield made
    await made.close()


async def test_forward_only(bench: Bench, chat: Room) -> None:
    """A cursor moves forward; a move to where it is, or behind, changes nothing."""
    answers = [await move(bench, chat, seq) for seq in (2, 1, 2, 4, 3)]
    assert answers == [
        MoveResult("moved", 2),
        MoveResult("unmoved", 2),
        MoveResult("unmoved", 2),
        MoveResult("moved", 4),
        MoveResult("unmoved", 4),
    ]
    assert [(e.body.since, e.body.seq) for e in await moves(bench)] == [(0, 2), (2, 4)]  # type: ignore[union-attr]


async def test_never_past_the_head(bench: Bench, chat: Room) -> None:
    """A cursor goes no further than the head, and covers nothing that is said later."""
    assert await move(bench, chat, 2**53 - 1) == MoveResult("moved", 5)
    await bench.send(chat, "later")
    assert await move(bench, chat, 5) == MoveResult("unmoved", 5)
    assert await move(bench, chat, 99) == MoveResult("moved", 6)


async def test_unknown_until_sql_was_asked(bench: Bench, chat: Room) -> None:
    """A cursor that the broker does not know is not moved before SQL said where it is."""
    assert await move(bench, chat, 3, stored=None) == MoveResult("unknown", 0)
    assert await moves(bench) == []
    assert await move(bench, chat, 3, stored=3) == MoveResult("unmoved", 3)
    assert await move(bench, chat, 4, stored=3) == MoveResult("moved", 4)
    assert await move(bench, chat, 5, stored=None) == MoveResult("moved", 5)


async def test_the_broker_knows_better_than_sql(bench: Bench, chat: Room) -> None:
    """Where the broker knows a cursor, what SQL said before is not believed."""
    await move(bench, chat, 4)
    assert await move(bench, chat, 3, stored=1) == MoveResult("unmoved", 4)


async def test_each_user_has_one(bench: Bench, chat: Room) -> None:
    """The cursors of two users, and of one user in two rooms, are their own."""
    room = await bench.make()
    await bench.fill(room, 2)
    assert await move(bench, chat, 5, user="bob") == MoveResult("moved", 5)
    assert await move(bench, chat, 1, user="ann") == MoveResult("moved", 1)
    assert await move(bench, room, 2, user="bob") == MoveResult("moved", 2)


async def test_many_at_once(bench: Bench, chat: Room) -> None:
    """Of many moves at once through two gateways, each accepted one begins where the last ended."""
    brokers = [bench.cursor_broker(), bench.cursor_broker()]
    await bench.fill_more(chat, 95)
    order = [(37 * n) % 101 for n in range(101)]
    answers = await asyncio.gather(
        *(
            brokers[n % 2].move(chat, "bob", seq, stored=0, message_id=0, origin="")
            for n, seq in enumerate(order)
        )
    )
    steps = [(e.body.since, e.body.seq) for e in await moves(bench)]  # type: ignore[union-attr]
    assert [since for since, _ in steps] == [0, *(seq for _, seq in steps[:-1])]
    assert steps[-1][1] == 100
    assert sum(answer.status == "moved" for answer in answers) == len(steps)


async def test_what_a_move_says(bench: Bench, chat: Room) -> None:
    """A move has a number of the partition and no place in the room; it is kept with its time."""
    await move(bench, chat, 3, message_id=77)
    [(counter, event)] = [
        (n, e) for n, e in await bench.stream() if isinstance(e.body, CursorMoved)
    ]
    assert (event.room_id, event.id, event.seq, event.prev) == (chat.id, counter * 1024, 0, 0)
    assert event.body == CursorMoved("bob", 3, 0, 77, "gw.sid", chat.key, "ann", "bob", 1)
    part = await bench.logs.read_messages(chat.key, "forward", 0, TOP, 100, 100)
    assert part is not None
    assert [event.seq for event in part.events] == [1, 2, 3, 4, 5]
    [kept] = part.changes.moves
    assert (kept.user, kept.since, kept.seq, kept.at) == ("bob", 0, 3, event.created_at)


async def test_a_named_room_keeps_no_times(bench: Bench) -> None:
    """A move in a named room says nothing of users, and nothing of it is kept beside the log."""
    room = await bench.make()
    await bench.send(room, "m1")
    await move(bench, room, 1)
    [event] = await moves(bench)
    assert event.body == CursorMoved("bob", 1, 0, 0, "gw.sid", "", "", "", 1)
    assert await bench.client.exists(PART.moves(room.key)) == 0


async def test_told_where_it_is_followed(bench: Bench, chat: Room, channels: Channels) -> None:
    """A move is told on the chat's channel; of a quiet chat, which nobody follows, on control."""
    await channels.follow(PART.channel(chat.key), PART.control)
    await move(bench, chat, 1)
    channel, event = await channels.next()
    assert (channel, event.body) == (PART.channel(chat.key), (await moves(bench))[0].body)
    await asyncio.sleep(0.01)
    await move(bench, chat, 2, settings=replace(bench.settings, wake_after=0.005))
    channel, event = await channels.next()
    assert channel == PART.control
    assert isinstance(event.body, CursorMoved)
    assert (event.room_id, event.body.user1, event.body.user2) == (chat.id, "ann", "bob")


async def test_a_named_room_tells_its_members(bench: Bench, channels: Channels) -> None:
    """A move in a named room is told on its channel, however quiet the room is."""
    room = await bench.make()
    await bench.send(room, "m1")
    await channels.follow(PART.channel(room.key), PART.control)
    await move(bench, room, 1, settings=replace(bench.settings, wake_after=0))
    assert (await channels.next())[0] == PART.channel(room.key)


async def test_rooms_that_take_no_move(bench: Bench, chat: Room) -> None:
    """A room of another epoch is to be opened; a deleted one, or another one, is not_found."""
    assert await code_of(move(bench, replace(chat, id=chat.id + 1024), 1)) == "not_found"
    await bench.publisher.send(chat, "", "drop", RoomDeleted(""))
    assert await code_of(move(bench, chat, 1)) == "not_found"
    room = await bench.make()
    await bench.reopen(2, 100)
    with pytest.raises(RoomNotHeld):
        await move(bench, room, 1)
    await bench.owner.close(0)
    assert await code_of(move(bench, room, 1)) == "broker_unavailable"


async def test_backlog_bound(bench: Bench, chat: Room) -> None:
    """At MAX_BACKLOG a move is refused like a send; one that changes nothing is not."""
    await move(bench, chat, 1)
    full = replace(bench.settings, max_backlog=7)
    assert await code_of(move(bench, chat, 2, settings=full)) == "overloaded"
    assert await move(bench, chat, 1, settings=full) == MoveResult("unmoved", 1)
    assert await bench.owner.committed(0, 1, 1, {}, [])
    assert await move(bench, chat, 2, settings=full) == MoveResult("moved", 2)


async def test_not_evicted_before_its_cursors_are_stored(bench: Bench, chat: Room) -> None:
    """A quiet room stays while SQL may lack a cursor's last move."""
    await move(bench, chat, 3)
    await bench.owner.committed(0, 1, 6, {chat.key: Head(chat.id, 5)}, [chat.key])
    assert await bench.evict() == 0
    await bench.owner.committed(0, 1, 7, {chat.key: Head(chat.id, 0)}, [])
    assert await bench.evict() == 1
    assert await bench.client.exists(PART.cursors(chat.key), PART.moves(chat.key)) == 0


async def test_moves_stay_as_long_as_what_they_speak_of(bench: Bench, chat: Room) -> None:
    """A move leaves once it is stored and the log has no message any more that it covered."""
    await move(bench, chat, 3)
    await bench.fill_more(chat, 100)
    await move(bench, chat, 105)

    async def kept() -> list[int]:
        part = await bench.logs.read_messages(chat.key, "forward", 0, TOP, 1, 1)
        assert part is not None
        return [move.seq for move in part.changes.moves]

    await bench.owner.committed(
        0, 1, 6, {chat.key: Head(chat.id, 5)}, []
    )  # of the log's messages, not the moves
    assert await kept() == [3, 105]
    await bench.owner.committed(0, 1, 107, {chat.key: Head(chat.id, 105)}, [])
    assert len(await bench.log(chat)) == 100
    assert await kept() == [105]


async def test_cursors_of_now(bench: Bench, chat: Room) -> None:
    """Cursors are told with their epoch; what an earlier one left behind is not told at all."""
    assert await bench.cursors.read(chat.key) == (1, {})
    await move(bench, chat, 3)
    await move(bench, chat, 5, user="ann")
    assert await bench.cursors.read(chat.key) == (1, {"bob": 3, "ann": 5})
    await bench.reopen(2, start=1_000_000)
    assert await bench.cursors.read(chat.key) == (2, {})
    await bench.owner.close(0)
    assert await code_of(bench.cursors.read(chat.key)) == "broker_unavailable"
