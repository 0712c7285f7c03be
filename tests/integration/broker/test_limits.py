"""Token buckets in the broker, and what gateways make of them."""

import asyncio
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.rates.limits import Kind, Limits, Shed
from shared.broker.sessions.limits import Bucket, LimitBroker
from shared.config import Settings, load
from shared.errors import ChatError
from shared.rates import Rate
from shared.trail import Trail
from tests.integration.broker.bench import KEYS
from tests.support.asker import Asker
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually


def limits(server: Valkey, **env: str) -> Limits:
    """The limits of another gateway."""
    given = {"RATE_LIMITS": "on", "REDIS_URL": server.url, **env}
    settings = load(Settings, given)
    return Limits(LimitBroker(server.pipe(), KEYS), settings, Trail(settings, "test"))


async def granted(asking: Awaitable[object]) -> bool:
    """Whether something is not too much now; then it is said when it will not be."""
    try:
        await asking
    except ChatError as error:
        if error.code != "rate_limited" or not error.retry_after:
            raise
        return False
    return True


async def asked(gateway: Limits, kind: Kind = "messages", user: str = "ann", cost: int = 1) -> bool:
    """Whether a user may ask something now."""

    async def ask() -> None:
        if waiting := gateway.ask(kind, Asker(user, display_name=user), cost):
            await waiting

    return await granted(ask())


async def test_a_second_gateway_doubles_nothing(server: Valkey) -> None:
    """A user who is on two gateways may do on both together what one may do on one."""
    one, two = (limits(server, RATE_MESSAGES="1/1h:12") for _ in range(2))
    passed = [await asked(gateway) for _ in range(20) for gateway in (one, two)]
    # What one gateway holds, the other lacks; nobody has more than there is.
    assert 12 - 3 <= sum(passed) <= 12
    assert await asked(one, user="bob")
    assert await asked(one, "joins")


async def test_most_of_it_costs_no_call(server: Valkey) -> None:
    """A gateway asks the broker for many tokens at a time, and not at all while there are none."""
    gateway = limits(server, RATE_MESSAGES="1/1h:64")
    await server.admin.config_resetstat()
    passed = [await asked(gateway) for _ in range(500)]
    assert sum(passed) == 64
    calls = (await server.admin.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert calls <= 64 / 16 + 2  # one to load the script, one that finds nothing


async def test_what_nobody_misses_is_shed(server: Valkey) -> None:
    """Typing over the limit is dropped, not refused."""
    gateway = limits(server, RATE_TYPING="1/1h:1")
    assert await asked(gateway, "typing")
    for _ in range(2):
        with pytest.raises(Shed):
            await asked(gateway, "typing")


async def test_nobody_is_locked_out_while_the_broker_is_away(server: Valkey) -> None:
    """Without the broker a gateway counts by itself: some may pass, and not without end."""
    gateway = limits(server, RATE_MESSAGES="1/1h:8", RATE_CONNECTIONS="1/1h:8")
    await server.kill()
    passed = [await asked(gateway) for _ in range(20)]
    assert sum(passed) == 8
    await gateway.connect("192.0.2.1")


async def test_what_costs_more_takes_more(server: Valkey) -> None:
    """An action takes what it costs, all of the burst at most, and is not free beyond a lot."""
    gateway = limits(server, RATE_JOINS="1/1h:100")
    assert await asked(gateway, "joins", cost=60)
    assert not await asked(gateway, "joins", cost=60)
    assert await asked(gateway, "joins", cost=40)
    assert not await asked(gateway, "joins")
    assert await asked(gateway, "joins", "bob", cost=1000)
    assert not await asked(gateway, "joins", "bob")


async def test_what_costs_more_is_granted_in_the_end(server: Valkey) -> None:
    """Tokens that are too few are put aside for the next try, whatever else takes some."""
    gateway = limits(server, RATE_JOINS="200/1s:50")
    assert await asked(gateway, "joins", cost=50)

    other = limits(server, RATE_JOINS="200/1s:50")

    async def is_granted() -> bool:
        granted = await asked(gateway, "joins", cost=40)
        await asked(other, "joins", cost=12)  # takes all that has come back meanwhile
        return granted

    for _ in range(3):
        assert await eventually(is_granted)


async def test_a_clock_set_back_locks_nobody_out(server: Valkey) -> None:
    """A bucket that seems to be full only in a day is an empty one, which fills as any does."""
    buckets = LimitBroker(server.pipe(), KEYS)
    bucket = Bucket("messages", ("ann",), Rate.parse("1/50ms:2"))
    assert await buckets.take([bucket], 5) == (2, 0)
    (key,) = await server.admin.keys("*")
    await server.admin.set(key, int(await server.admin.get(key)) + 86_400_000_000)
    count, wait = await buckets.take([bucket], 1)
    assert count == 0
    assert wait <= 50_000
    async with asyncio.timeout(HANGS_AFTER):
        while not (await buckets.take([bucket], 1))[0]:
            pass


@settings(settings.get_profile("integration"), max_examples=25)
@given(asks=st.lists(st.integers(1, 8), min_size=1, max_size=12), burst=st.integers(1, 20))
async def test_the_broker_counts_as_a_gateway_does(
    server: Valkey, asks: list[int], burst: int
) -> None:
    """What the broker grants is what the same sums grant elsewhere."""
    await server.flush()
    bucket = Bucket("messages", ("ann",), Rate.parse(f"1/1h:{burst}"))
    broker, full_at = LimitBroker(server.pipe(), KEYS), 0
    for most in asks:
        taken = bucket.rate.take(full_at, 0, most)
        full_at = taken.full_at
        assert (await broker.take([bucket], most))[0] == taken.granted
