"""Guesses of rooms' passwords: what counts, what is given back, and who waits behind whom."""

import asyncio

import pytest

from gateway.access.rates.limits import Limits
from gateway.access.shares.fair_queue import FairQueue
from gateway.access.shares.guesses import Guesses
from shared.broker.sessions.limits import LimitBroker
from shared.config import Settings, load
from shared.errors import ChatError
from shared.trail import Trail
from tests.integration.broker.bench import KEYS
from tests.support.asker import Asker
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually

ANN, BOB, EVE = (Asker(name) for name in ("ann", "bob", "eve"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers late is still asked: its counts are what these tests are about."""
    monkeypatch.setattr("gateway.access.rates.buckets.BROKER_TIMEOUT_SECONDS", HANGS_AFTER)


def guesses(server: Valkey, **env: str) -> Guesses:
    """The guesses at one more gateway."""
    settings = load(Settings, {"RATE_LIMITS": "on", "REDIS_URL": server.url, **env})
    trail = Trail(settings, "test")
    return Guesses(Limits(LimitBroker(server.pipe(), KEYS), settings, trail), settings)


async def counted(gateway: Guesses, asker: Asker, room: str = "den", *, wrong: bool = True) -> bool:
    """Whether a guess is taken and judged now; else it is said when it may be."""
    try:
        async with gateway.guess(room, asker) as guess:
            guess.is_wrong = wrong
    except ChatError as error:
        if error.code != "rate_limited" or not error.retry_after:
            raise
        return False
    return True


async def test_wrong_passwords_are_bounded(server: Valkey) -> None:
    """A user has few guesses at a room, and so has an address; right ones are no guesses."""
    gateway = guesses(server, RATE_GUESSES="1/1h:2", RATE_ADDRESS_GUESSES="1/1h:3")
    for _ in range(10):
        assert await counted(gateway, ANN, wrong=False)
    assert [await counted(gateway, ANN) for _ in range(3)] == [True, True, False]
    assert [await counted(gateway, BOB) for _ in range(2)] == [True, False]
    eve = [Asker("eve", f"2001:db8:{number}::1") for number in range(3)]
    assert [await counted(gateway, each) for each in eve] == [True, True, False]
    assert await counted(gateway, ANN, "another room")


async def test_what_is_not_judged_is_no_guess(server: Valkey) -> None:
    """A guess that ends without a word on the password is given back, however it ends."""
    gateway = guesses(server, RATE_GUESSES="1/1h:1", RATE_ROOM_GUESSES="1/1h:1")

    async def fails() -> None:
        async with gateway.guess("den", ANN):
            raise ChatError("overloaded", "too many")

    async def is_left(judging: asyncio.Event) -> None:
        async with gateway.guess("den", ANN):
            judging.set()
            await asyncio.Event().wait()

    for _ in range(3):
        with pytest.raises(ChatError, match="too many"):
            await fails()
        judging = asyncio.Event()
        task = asyncio.create_task(is_left(judging))
        await judging.wait()
        task.cancel()
        await asyncio.wait([task])
    assert await counted(gateway, ANN)
    assert not await counted(gateway, ANN)


async def test_a_room_slows_and_does_not_refuse(server: Valkey) -> None:
    """Where a room has no guess left, guesses wait for the next ones in their order."""
    gateway = guesses(server, RATE_ROOM_GUESSES="20/1s:1")
    askers = [Asker(f"user {number}", f"192.0.2.{number}") for number in range(8)]
    order: list[str] = []

    async def guess(asker: Asker) -> None:
        assert await counted(gateway, asker)
        order.append(asker.rate_subject)

    await asyncio.gather(*(guess(asker) for asker in askers))
    assert order == [asker.rate_subject for asker in askers]


@pytest.mark.parametrize("other", [Asker("ann", "192.0.2.2"), Asker("bob", "192.0.2.1")])
async def test_one_of_each_waits(server: Valkey, other: Asker) -> None:
    """Whoever has a guess waiting for a room has no other one there, by user and by address."""
    gateway = guesses(server, RATE_ROOM_GUESSES="1/1h:1")
    assert await counted(gateway, EVE)
    waiting = asyncio.create_task(counted(gateway, ANN))
    await asyncio.sleep(0)  # what it asks the broker comes first
    assert not await counted(gateway, other)
    assert not waiting.done()  # the other one was refused at once, and did not wait behind it
    assert await counted(gateway, other, "another room")
    waiting.cancel()
    await asyncio.wait([waiting])


async def test_who_leaves_is_in_nobodys_way(server: Valkey) -> None:
    """A guess whose client is gone keeps neither its place nor what it took."""
    gateway = guesses(server, RATE_GUESSES="1/1h:1", RATE_ROOM_GUESSES="1/3s:1")
    assert await counted(gateway, EVE)
    leaving = asyncio.create_task(counted(gateway, ANN))
    await asyncio.sleep(0.1)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert await counted(gateway, ANN)


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_who_leaves_before_the_answer(server: Valkey, turns: int) -> None:
    """A guess whose client goes away while the broker is asked costs neither it nor the room."""
    gateway = guesses(server, RATE_GUESSES="1/1h:1", RATE_ROOM_GUESSES="1/1h:1")
    assert await counted(gateway, EVE, wrong=False)  # the broker knows the script
    for _ in range(3):
        leaving = asyncio.create_task(counted(gateway, ANN))
        for _ in range(turns):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        assert leaving.cancelled()
    assert await eventually(lambda: counted(gateway, ANN))


async def test_who_leaves_before_its_turn(server: Valkey) -> None:
    """A guess costs its room nothing if the client goes away while it waits to read on."""
    gateway = guesses(server, RATE_ROOM_GUESSES="1/1h:1")
    reads, holding, done = FairQueue(1, max_waiting=100), asyncio.Event(), asyncio.Event()

    async def guess() -> None:
        async with reads.slot(ANN):
            await counted(gateway, ANN)

    async def read() -> None:
        async with reads.slot(EVE):
            holding.set()
            await done.wait()

    async def waits() -> bool:
        return reads.waiting > 0

    guessing = asyncio.create_task(guess())
    reading = asyncio.create_task(read())
    await holding.wait()  # the guess has given up its slot, and waits for it after its token
    assert await eventually(waits)
    guessing.cancel()
    await asyncio.wait([guessing])
    done.set()
    await reading
    assert await counted(gateway, BOB)


async def test_nobody_waits_for_ever(server: Valkey) -> None:
    """A guess that gets no token in time is told when to come again, and is given back."""
    gateway = guesses(server, RATE_GUESSES="1/1h:1", RATE_ROOM_GUESSES="1/6s:1", PING_SECONDS="0.2")
    assert await counted(gateway, EVE)
    assert not await counted(gateway, ANN)

    async def is_taken() -> bool:
        return await counted(gateway, ANN)

    assert await eventually(is_taken)
