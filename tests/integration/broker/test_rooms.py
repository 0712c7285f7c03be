"""Rooms in the broker: one winner for a name, and opened again without a gap."""

import asyncio

import pytest

from shared.broker.partitions.fence import FENCE_GAP
from shared.broker.partitions.partitions import Head
from shared.broker.rooms.answers import NotHeld
from shared.broker.rooms.logs import Direction
from shared.model.events import RoomCreated
from shared.model.ids import TOP
from shared.model.rooms import Room
from tests.integration.broker.bench import PART, Bench, code_of, creation


def as_stored(room: Room, *, head: int, epoch: int = 1, floor: int = 0) -> Room:
    """A room as SQL would have it."""
    fields = {name: getattr(room, name) for name in Room.__struct_fields__}
    return Room(**{**fields, "head": head, "epoch": epoch, "floor": floor})


async def test_one_winner(bench: Bench) -> None:
    """Of 50 who claim a name at once through two gateways, one has it and the others are told."""
    brokers = [bench.room_broker(), bench.room_broker()]
    seen = await bench.not_held()

    async def claim(n: int) -> Room | str:
        try:
            return await brokers[n % 2].create(creation("general", f"user {n}"), seen)
        except Exception as error:  # noqa: BLE001 - looked at below
            return getattr(error, "code", repr(error))

    results = await asyncio.gather(*map(claim, range(50)))
    winners = [found for found in results if isinstance(found, Room)]
    assert len(winners) == 1
    assert sorted(map(str, results)).count("room_exists") == 49
    assert await bench.found() == winners[0]
    [(_, created)] = await bench.stream()
    assert isinstance(created.body, RoomCreated)
    assert created.body.creator == winners[0].creator


async def test_room_is_found_as_it_was_made(bench: Bench) -> None:
    """What `find` says of a room is what its maker was told."""
    body = RoomCreated("room", "r:größe 🎈", "größe 🎈", "$argon2id$x", "ann")
    made = await bench.rooms.create(body, await bench.not_held("größe 🎈"))
    assert isinstance(made, Room)
    assert await bench.found("größe 🎈") == made
    assert (made.name, made.password_hash, made.creator) == ("größe 🎈", "$argon2id$x", "ann")
    assert (made.head, made.floor, made.epoch) == (0, 0, 1)
    assert list(await bench.rooms.unstored("", 10)) == ["r:größe 🎈"]


@pytest.mark.parametrize("seen", [NotHeld(2, 1), NotHeld(1, 2), NotHeld(0, 0)])
async def test_claim_by_old_word_is_stale(bench: Bench, seen: NotHeld) -> None:
    """A claim by what SQL said in another epoch or generation is refused: look again."""
    assert await bench.rooms.create(creation("general"), seen) == "stale"
    assert isinstance(await bench.rooms.find("r:general"), NotHeld)
    assert await bench.stream() == []


async def test_claim_in_a_closed_partition(bench: Bench) -> None:
    """Nobody gets a name while the partition is closed."""
    seen = await bench.not_held()
    await bench.owner.close(0)
    assert await code_of(bench.rooms.create(creation("general"), seen)) == "broker_unavailable"


async def test_claims_count_in_the_backlog(bench: Bench) -> None:
    """At MAX_BACKLOG a claim is refused like a send."""
    room = await bench.make()
    await asyncio.gather(*(bench.send(room, f"m{n}") for n in range(999)))
    seen = await bench.not_held("other")
    assert await code_of(bench.rooms.create(creation("other"), seen)) == "overloaded"


async def test_not_evicted_before_it_is_stored(bench: Bench) -> None:
    """A quiet room stays while SQL may lack its last event."""
    room = await bench.make()
    await bench.send(room, "m1")
    await bench.owner.committed(0, 1, 1, {}, [])
    assert await bench.evict() == 0
    assert await bench.found()
    await bench.owner.committed(0, 1, 2, {}, [])
    assert await bench.evict() == 1
    assert isinstance(await bench.rooms.find(room.key), NotHeld)
    assert await bench.log(room) == []


async def test_not_evicted_before_it_is_quiet(bench: Bench) -> None:
    """A room whose events are all stored stays until ROOM_IDLE is over."""
    await bench.make()
    settings = type(bench.settings)(partitions=1, room_idle=600)
    await bench.owner.committed(0, 1, 1, {}, [])
    assert await bench.partition_broker(settings).evict_idle(0) == 0
    assert await bench.found()


async def test_activity_after_the_look_keeps_a_room(bench: Bench) -> None:
    """A message between the look for quiet rooms and the eviction keeps the room."""
    room = await bench.make()
    await bench.owner.committed(0, 1, 1, {}, [])
    await asyncio.sleep(0.005)
    await bench.send(room, "m1")
    assert await bench.owner.evict_idle(0) == 0
    assert (await bench.found()).head == 1


async def test_numbers_go_on_after_quiet(bench: Bench) -> None:
    """A room that was quiet goes on where it was: no gap, and `prev` is its last stored event."""
    room = await bench.make()
    await bench.fill(room, 3)
    await bench.owner.committed(0, 1, 4, {room.key: Head(room.id, 3)}, [room.key])
    assert await bench.evict() == 1
    stored = as_stored(room, head=3)
    assert await bench.rooms.open(stored, 1000, await bench.not_held())
    assert (await bench.send(room, "m4")).seq == 4
    assert [(event.seq, event.prev) for event in await bench.log(room)] == [(4, 3)]


async def test_numbers_jump_in_a_new_epoch(bench: Bench) -> None:
    """After a fence a room goes on above everything that may have been given, from what is kept."""
    room = await bench.make()
    await bench.fill(room, 3)
    await bench.reopen(2, 1000)
    stored = as_stored(room, head=2)  # the third was lost
    assert await bench.rooms.open(stored, 1000, await bench.not_held())
    accepted = await bench.send(room, "m4")
    assert accepted.seq > FENCE_GAP
    assert [(event.seq, event.prev) for event in await bench.log(room)] == [(accepted.seq, 2)]
    assert (await bench.send(room, "m5")).seq == accepted.seq + 1


async def test_numbers_of_two_lost_epochs_differ(bench: Bench) -> None:
    """What was given in an epoch that left nothing in SQL is not given again in the next one."""
    room = await bench.make()
    stored = as_stored(room, head=2)
    given = []
    for epoch in (2, 3, 4):
        await bench.reopen(epoch, epoch * FENCE_GAP)
        assert await bench.rooms.open(stored, 1000, await bench.not_held())
        given.append((await bench.send(room, f"in epoch {epoch}")).seq)
    assert given[0] < given[1] < given[2]


async def test_open_by_old_word_is_refused(bench: Bench) -> None:
    """A room is not opened by what SQL said before an eviction or in another epoch."""
    room = await bench.make()
    before = NotHeld(1, (await bench.not_held("other")).generation)
    await bench.owner.committed(0, 1, 1, {}, [])
    assert await bench.evict() == 1
    stored = as_stored(room, head=0)
    assert not await bench.rooms.open(stored, 1000, before)
    now = await bench.not_held()
    assert not await bench.rooms.open(stored, 1000, NotHeld(now.epoch + 1, now.generation))
    assert isinstance(await bench.rooms.find(room.key), NotHeld)
    await bench.owner.close(0)
    assert await code_of(bench.rooms.open(stored, 1000, now)) == "broker_unavailable"


async def test_two_who_open_at_once(bench: Bench) -> None:
    """A room opened by two gateways at once is opened once; the later one changes nothing."""
    room = await bench.make()
    await bench.owner.committed(0, 1, 1, {}, [])
    await bench.evict()
    seen, stored = await bench.not_held(), as_stored(room, head=7)
    assert await bench.rooms.open(stored, 1000, seen)
    assert (await bench.send(room, "m1")).seq == 8
    assert await bench.room_broker().open(as_stored(room, head=7), 1000, seen)
    assert (await bench.send(room, "m2")).seq == 9
    assert [event.seq for event in await bench.log(room)] == [8, 9]


async def test_old_log_is_gone_in_a_new_epoch(bench: Bench) -> None:
    """Where a room is opened in a new epoch, nothing of the old log is shown."""
    room = await bench.make()
    await bench.fill(room, 3)
    await bench.reopen(2, 1000)
    assert await bench.logs.read_log(room.key, limit=10) is None
    assert await bench.rooms.open(as_stored(room, head=3), 1000, await bench.not_held())
    part = await bench.logs.read_log(room.key, limit=10)
    assert part is not None
    assert (part.epoch, part.room_id, part.head, part.events) == (2, room.id, 3, [])


async def test_reading_the_log(bench: Bench) -> None:
    """A part of the log is the range that was asked for, in the order in which it is read."""
    room = await bench.make()
    await bench.fill(room, 10)

    async def events(lowest: int, limit: int) -> list[int]:
        part = await bench.logs.read_log(room.key, lowest=lowest, limit=limit)
        assert part is not None
        assert part.head == 10
        return [event.seq for event in part.events]

    async def messages(direction: Direction, low: int, high: int, limit: int) -> list[int]:
        part = await bench.logs.read_messages(room.key, direction, low, high, limit, 0)
        assert part is not None
        assert part.head == 10
        return [event.seq for event in part.events]

    assert await events(0, 3) == [1, 2, 3]
    assert await events(5, 100) == [5, 6, 7, 8, 9, 10]
    assert await messages("backward", 0, TOP, 3) == [10, 9, 8]
    assert await messages("backward", 0, 5, 2) == [5, 4]
    assert await messages("forward", 4, 5, 100) == [4, 5]
    assert await events(11, 100) == await messages("forward", 11, TOP, 100) == []


async def test_unstored_by_name(bench: Bench) -> None:
    """Rooms that SQL may lack are listed by name, after a name, so many at the most."""
    for name in ("b", "a", "d", "c"):
        await bench.make(name)
    assert list(await bench.rooms.unstored("r:a", 2)) == ["r:b", "r:c"]
    await bench.owner.committed(0, 1, 4, {}, ["r:b", "r:c"])
    assert list(await bench.rooms.unstored("", 10)) == ["r:a", "r:d"]
    assert await bench.client.zcard(PART.unstored) == 2


async def test_a_record_that_another_format_left(bench: Bench) -> None:
    """A record whose state this build cannot read is of a room that is not held: SQL has it."""
    room = await bench.make()
    await bench.client.hset(PART.room(room.key), "state", b"\x00" * 16)
    assert isinstance(await bench.rooms.find(room.key), NotHeld)
