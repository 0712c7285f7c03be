"""Persisters that die, stop, or lose what they need: every message once, none lost."""

import asyncio
import hashlib
import signal
import time
from collections.abc import Sequence

import pytest

from persister.batch import Batch
from persister.dead_letter import MAX_TRIES
from persister.writer import Claim, Writer
from shared.broker.partitions.fence import FENCE_GAP
from shared.broker.partitions.members import Membership
from shared.broker.rooms.send import Accepted
from shared.broker.scripts import source
from shared.config import Settings
from shared.model.ids import partition_of_key, room_key
from shared.model.rooms import Room
from shared.storage import engine
from tests.support.metrics import scrape
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stage import Stage
from tests.support.waiting import HANGS_AFTER, eventually


async def send_many(stage: Stage, room: Room, count: int, name: str = "m") -> list[Accepted]:
    return await asyncio.gather(*(stage.send(room, f"{name}{n}") for n in range(count)))


async def assert_once(stage: Stage, room: Room, sent: Sequence[Accepted]) -> None:
    """SQL has exactly what was accepted, each once, at the places the replies said."""
    await stage.all_stored(room, len(sent))
    await stage.trimmed()
    rows = await stage.database.rows(
        "SELECT id, seq FROM events WHERE room_id = ? AND kind = 'message' ORDER BY seq", room.id
    )
    assert rows == sorted(((a.id, a.seq) for a in sent), key=lambda row: row[1])
    assert await stage.database.value("SELECT count(*) FROM events WHERE kind = 'void'") == 0


async def leases(stage: Stage) -> list[bytes | None]:
    return [await stage.server.admin.get(part.lease) for part in stage.keys.partitions]


async def at_the_lock(operator: int) -> None:
    """Wait until the persister with this operator's port has a batch that it cannot store yet."""

    async def stands() -> bool:
        return (await scrape(operator))["parley_storage_lag_seconds"] > 0

    await eventually(stands)


async def test_everything_is_stored(stage: Stage) -> None:
    """What gateways accept is in SQL, in its room and at its place, and leaves the stream."""
    async with stage.storing():
        rooms = [await stage.make(name) for name in ("one", "two", "three")]
        for room in rooms:
            await assert_once(stage, room, await send_many(stage, room, 200))
    names = await stage.database.rows("SELECT id, key, name, creator FROM rooms ORDER BY id")
    assert names == sorted((room.id, room.key, room.name, "ann") for room in rooms)


async def test_killed_before_the_commit(stage: Stage) -> None:
    """A persister killed while it waits to commit has stored nothing; the next one stores all."""
    operator = free_port()
    async with stage.running(ADMIN_PORT=str(operator)) as first:
        room = await stage.make()
        before = await stage.send(room, "before")
        await stage.all_stored(room, 1)
        await stage.trimmed()
        async with stage.database.locked():
            sent = await send_many(stage, room, 100)
            await at_the_lock(operator)
            await first.kill()
    async with stage.storing():
        await assert_once(stage, room, [before, *sent])


async def test_killed_between_commit_and_trim(stage: Stage) -> None:
    """A persister killed after the commit and before the trim leaves nothing to be stored twice."""
    async with stage.storing():
        room = await stage.make()
        await stage.trimmed()
    needle = hashlib.sha1(source("committed").encode()).hexdigest().encode()  # noqa: S324 - as EVALSHA
    accepted = [await stage.send(room, f"m{n}") for n in range(50)]
    async with (
        Proxy(stage.server.port) as proxy,
        stage.persister(REDIS_URL=proxy.url) as second,
    ):
        # The first `committed` tidies up what a dead owner left; the one after a batch counts.
        proxy.swallow_after(needle, lambda: _has(stage, room, 50))
        await stage.all_stored(room, 50)
        await asyncio.wait_for(proxy.swallowed.wait(), HANGS_AFTER)
        await second.kill()
    assert await stage.backlog() > 0
    async with stage.storing():
        await assert_once(stage, room, accepted)


def _has(stage: Stage, room: Room, count: int) -> bool:
    return len(stage.database.now("SELECT 1 FROM events WHERE room_id = ?", room.id)) >= count


async def test_killed_under_load(stage: Stage) -> None:
    """A persister killed again and again under load loses nothing and doubles nothing."""
    async with stage.running() as first:
        room = await stage.make()
        sent: list[Accepted] = []
        for round_ in range(3):
            sent += await send_many(stage, room, 300, f"round {round_} ")
            await first.kill()
            sent += await send_many(stage, room, 100, f"between {round_} ")
            await first.start()
        await assert_once(stage, room, sent)


async def test_paused_past_its_lease(stage: Stage) -> None:
    """A persister that wakes after another took over does no harm: all once, none lost."""
    operator = free_port()
    async with stage.running(ADMIN_PORT=str(operator)) as first, stage.persister() as second:
        room = await stage.make()
        sent = await send_many(stage, room, 50, "a")
        async with stage.database.locked():
            sent += await send_many(stage, room, 100, "b")
            await at_the_lock(operator)
            first.signal(signal.SIGSTOP)
        started = time.monotonic()
        sent += await send_many(stage, room, 100, "c")
        try:
            await stage.all_stored(room, 250)
            print(f"taken over after {time.monotonic() - started:.1f} s")
        finally:
            first.signal(signal.SIGCONT)
        sent += await send_many(stage, room, 100, "d")
        await assert_once(stage, room, sent)
        await second.kill()
        sent += await send_many(stage, room, 100, "e")
        await assert_once(stage, room, sent)


async def test_taken_over(stage: Stage) -> None:
    """A dead owner's leases end in 3 s by default, and another serves its partitions from then."""
    default = str(Settings().lease_seconds)
    async with stage.running(LEASE_SECONDS=default) as first:
        room = await stage.make()
        async with stage.persister(LEASE_SECONDS=default) as second:
            await second.receive("partitions taken")

            async def all_owned() -> bool:
                return None not in await leases(stage)

            await eventually(all_owned)
            await first.kill()
            died = time.monotonic()
            lasts = [await stage.server.admin.pttl(part.lease) for part in stage.keys.partitions]
            assert max(lasts) <= 3000
            other = await stage.make("other")
            await stage.send(room, "m1")
            await stage.send(other, "m1")

            async def both() -> bool:
                return await stage.backlog() == 0 and len(set(await leases(stage))) == 1

            await eventually(both)
            print(f"taken over after {time.monotonic() - died:.2f} s")
            await assert_once(stage, room, [await stage.send(room, "m1")])


async def test_shared_out_evenly(stage: Stage) -> None:
    """A second persister is given its share, and what is in flight is stored once."""
    async with stage.storing():
        room, other = await stage.make("general"), await stage.make("random")
        sent = await send_many(stage, room, 50)
        async with stage.persister() as second:
            await second.receive("partitions taken")

            async def shared() -> bool:
                owners = await leases(stage)
                return None not in owners and len(set(owners)) == 2

            await eventually(shared)
            more = await send_many(stage, other, 50)
            sent += await send_many(stage, room, 50, "n")
            await assert_once(stage, room, sent)
            await assert_once(stage, other, more)


async def test_a_lease_taken_while_busy_is_given_back(stage: Stage) -> None:
    """A persister gives back a lease that it took while it was busy and that others want since."""
    members = stage.partition_broker()
    another = Membership(
        *(stage.server.pipe(), stage.keys, "another", "persister"),
        lease_seconds=stage.settings.lease_seconds,
    )
    lease = stage.keys[1].lease

    async def ours() -> bool:
        await another.announce()
        return await members.hold_lease(1, "another")

    async def theirs() -> bool:
        return bool((await stage.server.admin.get(lease)) not in {None, b"another"})

    async def renewed() -> bool:
        await another.announce()
        left = int(await stage.server.admin.pttl(lease))
        lease_times.append(left)
        return left > lease_times[-2]

    async with stage.storing():
        room = await stage.make(name_in(0, stage.partitions))
        await eventually(ours)
        async with stage.database.locked():
            await stage.send(room, "m1")
            await another.leave()
            await members.release_lease(1, "another")
            await eventually(theirs)
            for _ in range(3):  # each time it looks how many they are
                lease_times = [10**6]
                await eventually(renewed)
        await eventually(ours)


def name_in(partition: int, partitions: int) -> str:
    """The name of a room in a partition."""
    names = (f"room{n}" for n in range(1000))
    return next(name for name in names if partition_of_key(room_key(name), partitions) == partition)


async def test_database_locked_for_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stays locked, try after try, sets nothing aside: all is stored in the end."""
    monkeypatch.setattr(engine, "LOCK_WAIT_MILLISECONDS", 50)
    store, tries = Writer.store, 0

    async def counted(writer: Writer, batches: Sequence[tuple[Claim, Batch]]) -> None:
        nonlocal tries
        tries += 1
        await store(writer, batches)

    monkeypatch.setattr(Writer, "store", counted)
    async with stage.storing():
        room = await stage.make()
        await stage.trimmed()
        async with stage.database.locked():
            tries = 0
            sent = await send_many(stage, room, 200)

            async def often() -> bool:
                return tries > MAX_TRIES

            await eventually(often)
            assert await stage.stored(room) == []
        await assert_once(stage, room, sent)
    dead = [await stage.server.admin.exists(part.dead) for part in stage.keys.partitions]
    assert dead == [0, 0]


async def test_sigterm(stage: Stage) -> None:
    """A persister told to end stores its batch, gives its leases back, and ends with 0."""
    operator = free_port()
    async with stage.running(LEASE_SECONDS="60", ADMIN_PORT=str(operator)) as first:
        room = await stage.make()
        await stage.trimmed()
        async with stage.database.locked():
            sent = await send_many(stage, room, 200)  # one call, so that they are one batch
            await at_the_lock(operator)
            first.signal(signal.SIGTERM)
        assert await first.wait() == 0
    assert await leases(stage) == [None, None]
    assert len(await stage.stored(room)) == 200
    sent.append(await stage.send(room, "between"))
    started = time.monotonic()
    async with stage.persister(LEASE_SECONDS="60"):
        await assert_once(stage, room, sent)
    print(f"taken over after {time.monotonic() - started:.1f} s, the start of Python included")


async def test_sigterm_while_the_database_is_away(stage: Stage) -> None:
    """A persister told to end does so though it never got to the database."""
    stage.database.path.mkdir()  # there is no opening a folder
    async with stage.persister() as waiting:
        await waiting.receive("cannot be used (unable to open database file); trying again")
        waiting.signal(signal.SIGTERM)
        assert await waiting.wait() == 0


async def test_broker_away(stage: Stage) -> None:
    """A persister outlasts a broker that is away, and goes on when it is back."""
    async with stage.running() as persister:
        room = await stage.make()
        sent = await send_many(stage, room, 20)
        await stage.all_stored(room, 20)
        await stage.server.kill()
        await persister.receive("broker or database away")
        await stage.server.start()
        await stage.in_epoch(2)
        sent.append(await stage.insist(room, "after"))
        await assert_once(stage, room, sent)


async def test_broker_refuses_writes_for_a_while(stage: Stage) -> None:
    """A persister that a broker refuses goes on afterwards or ends; it is never half alive."""
    async with stage.running() as persister:
        room = await stage.make()
        sent = [await stage.send(room, "before")]
        await stage.server.admin.config_set("min-replicas-to-write", 1)
        await asyncio.sleep(0.8)
        await stage.server.admin.config_set("min-replicas-to-write", 0)
        sent.append(await stage.insist(room, "after"))
        await asyncio.sleep(0.8)  # past any lease taken before

        async def served() -> bool:
            if persister.ended:
                await persister.start()
            return None not in await leases(stage) and await stage.backlog() == 0

        await eventually(served)
        await assert_once(stage, room, sent)


async def test_loses_a_partition_while_it_opens_it(stage: Stage) -> None:
    """A persister whose partition another one claims while it opens it lets go of it, and lives."""
    async with Proxy(stage.server.port) as proxy, stage.running(REDIS_URL=proxy.url) as persister:
        room = await stage.make()
        await stage.trimmed()  # else it may be lost with what the broker holds
        proxy.hold_after(b"HDEL")  # the partition is being closed, after the claim was checked
        await stage.server.flush()
        await asyncio.wait_for(proxy.answered.wait(), HANGS_AFTER)
        await stage.database.run("UPDATE partitions SET owner = 'another'")
        proxy.let_go()
        await stage.in_epoch(2)
        await assert_once(stage, room, [await stage.insist(room, "after")])
        assert not persister.ended


async def test_broker_restarted_with_its_data(stage: Stage) -> None:
    """After a restart of the broker: a new epoch, nothing is lost, no number is given twice."""
    async with stage.running() as persister:
        room = await stage.make()
        persister.signal(signal.SIGSTOP)
        sent = await send_many(stage, room, 50)
        await stage.server.restart()
        persister.signal(signal.SIGCONT)
        await stage.in_epoch(2)
        later = await stage.insist(room, "later")
        assert later.seq > FENCE_GAP
        await assert_once(stage, room, [*sent, later])
        assert await stage.epochs() == [2, 2]
        prev = "SELECT prev FROM events WHERE room_id = ? AND seq = ?"
        assert await stage.database.value(prev, room.id, later.seq) == 50


async def test_broker_comes_back_empty(stage: Stage) -> None:
    """After the broker lost everything: a new epoch, numbers above all, nothing overwritten."""
    async with stage.storing():
        room = await stage.make()
        kept = await send_many(stage, room, 20)
        await assert_once(stage, room, kept)
    lost = await send_many(stage, room, 20, "lost")
    await stage.server.flush()
    async with stage.storing():
        await stage.in_epoch(2)
        later = await stage.insist(room, "later")
        await assert_once(stage, room, [*kept, later])
        assert later.seq > max(accepted.seq for accepted in lost)
        assert later.id > max(accepted.id for accepted in lost)
        assert (await stage.send(room, "and on")).seq == later.seq + 1
        made = await stage.make("made in epoch 2")
        assert made.id > max(accepted.id for accepted in lost)


async def test_broker_comes_back_empty_twice(stage: Stage) -> None:
    """Numbers of an epoch that left nothing in SQL are not given again in the next one."""
    async with stage.storing():
        room = await stage.make()
        sent = await send_many(stage, room, 5)
        await assert_once(stage, room, sent)
    given = []
    for epoch in (2, 3):
        await stage.server.flush()
        async with stage.storing():
            await stage.in_epoch(epoch)
        given.append(await stage.insist(room, f"in epoch {epoch}"))
    assert given[0].seq < given[1].seq
    assert given[0].id < given[1].id


async def test_clearing(stage: Stage) -> None:
    """A clearing raises the room's floor in SQL and takes the contents before it."""
    async with stage.storing():
        room = await stage.make()
        await send_many(stage, room, 10)
        cleared = await stage.clear(room)
        await stage.send(room, "after")
        await stage.all_stored(room, 12)
    query = "SELECT seq, content, deleted FROM events WHERE room_id = ? ORDER BY seq"
    assert await stage.database.rows(query, room.id) == [
        *((n, None, 1) for n in range(1, 11)),
        (11, None, 0),
        (12, "after", 0),
    ]
    floor = await stage.database.value("SELECT floor FROM rooms WHERE id = ?", room.id)
    assert floor == cleared.seq == 11
