"""Sessions in the broker: kept by their owner, taken over by whoever shows the pid, forgotten."""

import asyncio

import pytest
from msgspec.structs import replace

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.sessions.sessions import Claimant, SessionBroker, SessionUpdate
from shared.model.sessions import ChatProgress, RoomProgress, SessionState
from tests.integration.broker.bench import Bench
from tests.support.waiting import eventually

KEYS = Keyspace("test", 16)
ANN = Claimant("is", "ann")
SESSION = SessionState(
    sid="gateway-1.abc",
    username="ann",
    chats_subscribed=True,
    online=False,
    left=False,
    incarnations=(("AAAAAAAA", 0), ("BBBBBBBB", 7)),
    sent=12,
    rooms={"general": RoomProgress(1024, 0, None, None), "two": RoomProgress(2048, 2, 3, 5)},
    chats={4096: ChatProgress(4096, 1, 2)},
)


@pytest.fixture
def sessions(bench: Bench) -> SessionBroker:
    """All sessions, none yet."""
    return SessionBroker(bench.server.pipe(), KEYS, Fence(len(KEYS)))


def saving(pid: str, owner: str = "one", session: SessionState | None = SESSION) -> SessionUpdate:
    return SessionUpdate(pid, owner, session, 60)


async def test_a_session_comes_back_as_it_was(sessions: SessionBroker) -> None:
    """Whoever shows the pid gets the session as it was kept last, again and again."""
    assert await sessions.save([saving("pid")]) == [True]
    for owner in ("two", "three"):
        taken = await sessions.take("pid", owner, ANN, 60)
        assert taken is not None
        assert taken.session == SESSION
        assert 0 <= taken.age < 60_000
    assert await sessions.take("other", "two", ANN, 60) is None


async def test_only_its_owner_changes_it(sessions: SessionBroker) -> None:
    """Who lost a session to another can neither change nor forget it, and is told."""
    await sessions.save([saving("pid")])
    await sessions.take("pid", "two", ANN, 60)
    assert await sessions.save([saving("pid"), saving("mine")]) == [False, True]
    assert await sessions.save([saving("pid", session=None)]) == [False]
    assert await sessions.save([saving("pid", "two")]) == [True]
    both = [saving("pid", "two"), saving("pid")]
    assert await sessions.save(both) == [True, False]


@pytest.mark.parametrize(
    ("user", "claimant", "takes"),
    [
        ("ann", Claimant("any"), True),
        ("ann", ANN, True),
        ("ann", Claimant("is", "an"), False),
        ("ann", Claimant("is", "Ann"), False),
        ("ann", Claimant("none"), False),
        ("ann", Claimant("begins", "guest-"), False),
        ("guest-1", Claimant("begins", "guest-"), True),
        (None, Claimant("any"), True),
        (None, Claimant("none"), True),
        (None, ANN, False),
        (None, Claimant("is", ""), False),
        (None, Claimant("begins", "guest-"), False),
    ],
)
async def test_a_session_of_another_user(
    sessions: SessionBroker, bench: Bench, user: str | None, claimant: Claimant, *, takes: bool
) -> None:
    """Who shows the pid of another user's session gets nothing, and changes nothing of it."""
    await sessions.save([saving("pid", session=replace(SESSION, username=user))])
    key = KEYS.of("pid").session("pid")
    before, lasts = await bench.client.hgetall(key), await bench.client.pttl(key)
    taken = await sessions.take("pid", "two", claimant, 600)
    assert (taken is not None) == takes
    assert (await bench.client.hgetall(key) == before) != takes
    assert (await bench.client.pttl(key) <= lasts) != takes
    assert await sessions.save([saving("pid")]) == [not takes]


async def test_a_forgotten_session_is_gone(sessions: SessionBroker, bench: Bench) -> None:
    """After a goodbye nothing is left of it."""
    await sessions.save([saving("pid")])
    assert await sessions.save([saving("pid", session=None)]) == [True]
    assert await sessions.take("pid", "two", ANN, 60) is None
    part = KEYS.of("pid")
    assert not await bench.client.exists(part.session("pid"))


async def test_it_expires(sessions: SessionBroker, bench: Bench) -> None:
    """A session that nobody keeps anew is gone after its time; taking it over renews it."""
    await sessions.save([SessionUpdate("short", "one", SESSION, 0.3)])
    await sessions.save([SessionUpdate("renewed", "one", SESSION, 20)])
    assert await sessions.take("renewed", "two", ANN, 60)
    assert await bench.client.pttl(KEYS.of("renewed").session("renewed")) > 20_000

    async def expired() -> bool:
        await asyncio.sleep(0.1)
        return await sessions.save([saving("short", "somebody else")]) == [True]

    await eventually(expired)
    assert await sessions.take("renewed", "three", ANN, 60)


async def test_many_at_a_time(sessions: SessionBroker) -> None:
    """Thousands are kept in one go, each answered for itself."""
    pids = [f"pid {n}" for n in range(3000)]
    assert all(await sessions.save([saving(pid) for pid in pids]))
    for pid in pids[::500]:
        await sessions.take(pid, "two", ANN, 60)
    kept = await sessions.save([saving(pid) for pid in pids])
    assert [n for n, mine in enumerate(kept) if not mine] == list(range(0, 3000, 500))


async def test_what_another_build_kept_is_none(sessions: SessionBroker, bench: Bench) -> None:
    """A session in a form that this build does not read begins anew rather than wrongly."""
    part = KEYS.of("pid")
    await bench.client.hset(part.session("pid"), mapping={"owner": "x", "data": "?", "at": "1"})
    assert await sessions.take("pid", "two", ANN, 60) is None
