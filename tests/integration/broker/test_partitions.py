"""Partitions as their owners see them: leases, epochs, trimming."""

import asyncio

import pytest
from msgspec.structs import replace

from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import Head, PartitionProbe, PartitionState
from shared.config import ConfigError, Settings
from shared.model.formats import NEWEST
from shared.model.log_events import HistoryCleared
from tests.integration.broker.bench import KEYS, PART, Bench
from tests.support.waiting import eventually


async def stream_ids(bench: Bench) -> list[int]:
    return [counter for counter, _ in await bench.stream()]


async def log_ids(bench: Bench, key: str) -> list[int]:
    rows = await bench.client.xrange(PART.log(key))
    return [int(row.split(b"-")[0]) for row, _ in rows]


async def test_committed_trims_the_stream(bench: Bench) -> None:
    """What SQL has leaves the stream, and nothing above it does."""
    room = await bench.make()
    await bench.fill(room, 9)
    assert await bench.owner.committed(0, 1, 4, {}, [])
    assert await stream_ids(bench) == [5, 6, 7, 8, 9, 10]
    assert await bench.client.hget(PART.record, "position") == b"4"


async def test_position_never_goes_back(bench: Bench) -> None:
    """A late word of an earlier commit moves nothing back."""
    room = await bench.make()
    await bench.fill(room, 9)
    assert await bench.owner.committed(0, 1, 8, {}, [])
    assert await bench.owner.committed(0, 1, 3, {}, [])
    assert await bench.client.hget(PART.record, "position") == b"8"
    assert await stream_ids(bench) == [9, 10]


async def test_committed_cuts_logs(bench: Bench) -> None:
    """A log is cut to LOG_LENGTH entries, and never above what SQL has."""
    room, other = await bench.make(), await bench.make("other")
    await asyncio.gather(*(bench.send(room, f"m{n}") for n in range(250)))
    await asyncio.gather(*(bench.send(other, f"m{n}") for n in range(150)))
    assert await bench.owner.committed(0, 1, 52, {room.key: Head(room.id, 50)}, [])
    assert await log_ids(bench, room.key) == list(range(51, 251))
    assert await log_ids(bench, other.key) == list(range(1, 151))
    assert await bench.owner.committed(
        0, 1, 402, {room.key: Head(room.id, 250), other.key: Head(other.id, 150)}, []
    )
    assert await log_ids(bench, room.key) == list(range(151, 251))
    assert await log_ids(bench, other.key) == list(range(51, 151))


async def test_short_log_is_kept(bench: Bench) -> None:
    """A log of no more than LOG_LENGTH entries keeps them when SQL has them."""
    room = await bench.make()
    await asyncio.gather(*(bench.send(room, f"m{n}") for n in range(100)))
    assert await bench.owner.committed(0, 1, 101, {room.key: Head(room.id, 100)}, [])
    assert await log_ids(bench, room.key) == list(range(1, 101))


@pytest.mark.parametrize("epoch", [0, 2])
async def test_committed_in_another_epoch(bench: Bench, epoch: int) -> None:
    """The word of an owner of another epoch trims nothing."""
    room = await bench.make()
    await bench.fill(room, 3)
    assert not await bench.owner.committed(0, epoch, 4, {room.key: Head(room.id, 3)}, [room.key])
    assert await stream_ids(bench) == [1, 2, 3, 4]
    assert await bench.owner.unstored(0) == [room.key]


async def test_committed_on_an_empty_server(bench: Bench) -> None:
    """Where everything was lost, the word of a commit makes nothing."""
    await bench.server.flush()
    assert not await bench.owner.committed(0, 1, 4, {"r:general": Head(1, 3)}, [])
    assert await bench.client.dbsize() == 0


async def test_lease_has_one_holder(bench: Bench) -> None:
    """Of ten who ask for a lease at once, one gets it, and keeps it by asking again."""
    owners = [bench.partition_broker(bench.settings) for _ in range(10)]
    asked = [owner.hold_lease(0, f"p{n}") for n, owner in enumerate(owners)]
    answers = await asyncio.gather(*asked)
    assert sum(answers) == 1
    winner = answers.index(True)
    assert await owners[winner].hold_lease(0, f"p{winner}")
    assert not await owners[winner - 1].hold_lease(0, "another")


async def test_lease_does_not_outlast_a_clock_that_was_set_back(bench: Bench) -> None:
    """A dead holder's lease that would end in an hour is free as soon as any other would be."""
    await bench.client.set(PART.lease, "dead", px=3_600_000)

    async def taken() -> bool:
        return await bench.owner.hold_lease(0, "heir")

    await eventually(taken)


async def test_lease_is_given_back_by_its_holder_only(bench: Bench) -> None:
    """A lease is free at once when its holder gives it back; nobody else can."""
    assert await bench.owner.hold_lease(0, "a")
    await bench.owner.release_lease(0, "b")
    assert not await bench.owner.hold_lease(0, "b")
    await bench.owner.release_lease(0, "a")
    assert await bench.owner.hold_lease(0, "b")


async def test_lease_expires(bench: Bench) -> None:
    """A lease that is not renewed is free after LEASE_SECONDS, a renewed one is not."""
    long = bench.partition_broker(Settings(lease_seconds=60))
    assert await long.hold_lease(0, "a")
    assert 0 < await bench.client.pttl(PART.lease) <= 60_000
    await bench.client.pexpire(PART.lease, 20_000)  # as if most of it were over
    assert await long.hold_lease(0, "a")
    assert await bench.client.pttl(PART.lease) > 20_000
    short = bench.partition_broker(Settings(lease_seconds=0.5))
    assert await short.hold_lease(0, "a")
    assert await bench.client.pttl(PART.lease) <= 500
    assert await eventually(lambda: short.hold_lease(0, "b"))


async def counted(member: Membership) -> int:
    """How many persisters live, as one of them hears."""
    [announced] = await member.announce()
    return announced.persisters


async def test_living_members_are_counted(bench: Bench) -> None:
    """A persister counts while it says so, and no more once it left or fell silent."""
    a, b, c = (bench.member(name, lease_seconds=60) for name in "abc")
    assert [await counted(member) for member in (a, b, c, a)] == [1, 2, 3, 3]
    await c.leave()
    assert await counted(a) == 2
    hasty = bench.member("a", lease_seconds=0.5)

    async def alone() -> bool:
        return await counted(hasty) == 1

    assert await eventually(alone)


async def test_member_from_the_future_is_no_ghost(bench: Bench) -> None:
    """A member whose time lies ahead, because the clock was set back, does not stay for ever."""
    ghost = {"ghost": f"persister 2 2 4 {10**15}"}
    await bench.client.hset(PART.members, mapping=ghost)
    assert await counted(bench.member("a")) == 1


async def test_state(bench: Bench) -> None:
    """An owner sees the epoch, how many partitions there are, and the last entry ever given."""
    room = await bench.make()
    await bench.fill(room, 4)
    await bench.owner.committed(0, 1, 5, {}, [])
    state = await bench.owner.state(0)
    assert (state.epoch, state.partitions, state.last, state.last_counter) == (1, 1, "5-0", 5)
    await bench.owner.close(0)
    assert (await bench.owner.state(0)).epoch is None
    await bench.server.flush()
    empty = await bench.owner.state(0)
    assert (empty.epoch, empty.partitions, empty.last) == (None, None, "0-0")


async def test_not_opened_when_the_stream_grew(bench: Bench) -> None:
    """A partition whose stream grew since its owner looked is not opened."""
    room = await bench.make()
    seen = await bench.owner.state(0)
    await bench.send(room, "m1")
    await bench.owner.close(0)
    assert await bench.owner.open(0, 2, seen, 100, NEWEST) == "moved"
    assert await stream_ids(bench) == [1, 2]
    assert (await bench.owner.state(0)).epoch is None


async def test_not_opened_on_another_server(bench: Bench) -> None:
    """A partition is not opened by what its owner saw on a server that was replaced."""
    await bench.make()
    await bench.owner.close(0)
    seen = await bench.owner.state(0)
    await bench.server.restart()
    assert await bench.owner.open(0, 2, seen, 100, NEWEST) == "moved"
    assert (await bench.owner.state(0)).epoch is None


@pytest.mark.parametrize("epoch", [1, 2])
async def test_not_opened_by_an_earlier_owner(bench: Bench, epoch: int) -> None:
    """An owner of an earlier epoch, or of the same, does not undo what a later one opened."""
    await bench.reopen(2, 50)
    room = await bench.make()
    before = await bench.owner.state(0)
    assert await bench.owner.open(0, epoch, before, 10, NEWEST) == "newer"
    after = await bench.owner.state(0)
    assert replace(after, age=before.age) == before
    assert after.age >= before.age
    assert (await bench.send(room, "m1")).seq == 1


async def test_opening_empties_and_numbers_go_on_above(bench: Bench) -> None:
    """An opened partition begins with an empty stream, above the number it was given."""
    await bench.make()
    await bench.reopen(2, 5000)
    assert await stream_ids(bench) == []
    assert await bench.owner.unstored(0) == []
    room = await bench.make("other")
    await bench.publisher.send(room, "ann", "c", HistoryCleared("ann"))
    assert await stream_ids(bench) == [5001, 5002]


async def test_generation_grows_with_each_opening(bench: Bench) -> None:
    """What a gateway saw before a partition was opened again is out of date afterwards."""
    before = await bench.not_held()
    await bench.reopen(2, 10)
    assert (await bench.not_held()).generation > before.generation


async def test_probe(bench: Bench) -> None:
    """A gateway counts closed partitions, and refuses data made with another PARTITIONS."""
    probe = PartitionProbe(bench.server.pipe(), KEYS, bench.fence)
    assert [state.epoch for state in await probe.states()] == [1]
    await bench.owner.close(0)
    assert [state.epoch for state in await probe.states()] == [None]
    await bench.client.hset(PART.record, "partitions", 3)
    with pytest.raises(ConfigError, match="PARTITIONS=1 is not valid"):
        await probe.states()


async def test_scripts_lost(bench: Bench) -> None:
    """Every script of an owner works on a server that forgot them all."""
    await bench.client.script_flush()
    assert await bench.owner.hold_lease(0, "a")
    await bench.client.script_flush()
    assert await bench.owner.committed(0, 1, 0, {}, [])
    await bench.client.script_flush()
    assert isinstance(await bench.owner.state(0), PartitionState)
    await bench.client.script_flush()
    await bench.reopen(2)
