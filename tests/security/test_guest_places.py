"""An address is at most so many guests at a time, on all gateways together."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle

import pytest
import pytest_asyncio

from tests.security.doors import DOORS, GUARDED, Door, SocketIODoor, enter
from tests.security.guests import another, come, is_rated
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.waiting import HANGS_AFTER, eventually

PLACES = 4
SETTINGS = {
    **GUARDED,
    "GUESTS": "on",
    "GUESTS_PER_ADDRESS": str(PLACES),
    "RATE_USER_CONNECTIONS": "100/1s:1000",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def narrow() -> AsyncIterator[Cluster]:
    """Two gateways that let a few guests of an address in."""
    async with Cluster(env=SETTINGS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def narrow_and_sturdy() -> AsyncIterator[Cluster]:
    """The same, for a test that does harm."""
    async with Cluster(env=SETTINGS) as running:
        yield running


async def fill(stack: AsyncExitStack, cluster: Cluster, address: str) -> list[Peer]:
    """As many guests of an address as it may be, by every door of both gateways."""
    ways = zip(cycle((1, 2)), DOORS, strict=False)
    return [await come(stack, cluster.gateway_url(n), address, door) for n, door in ways]


async def is_let_in(stack: AsyncExitStack, url: str, address: str, door: Door = "json") -> bool:
    """Whether another guest of an address is let in; else it is told when to come again."""
    try:
        await come(stack, url, address, door)
    except Refusal as refusal:
        return not is_rated(refusal)
    return True


async def test_one_too_many(
    narrow: Cluster, stack: AsyncExitStack, address: str, door: Door
) -> None:
    """One guest more is refused by every door; users and guests of other addresses come in."""
    await fill(stack, narrow, address)
    for gateway in (1, 2):
        url = narrow.gateway_url(gateway)
        assert not await is_let_in(stack, url, address, door)
        assert await is_let_in(stack, url, another(), door)
        await come(stack, url, address, door, "ann")


async def test_how_a_websocket_is_refused(
    narrow: Cluster, stack: AsyncExitStack, address: str
) -> None:
    """A guest too many gets an error, then close code 4429; whether it speaks or is silent."""
    await fill(stack, narrow, address)
    url = narrow.gateway_url(1)
    speaking, silent = [
        await stack.enter_async_context(enter("json", url, "welcome=1", "", address))
        for _ in range(2)
    ]
    for number in range(20):
        await speaking.emit("getRooms", {}, number)
    for peer in (speaking, silent):
        assert await peer.closed() == 4429
        assert peer.all("error")[0]["code"] == "rate_limited"
        assert not peer.all("welcome")


@pytest.mark.parametrize("leaving", DOORS)
async def test_a_place_is_free_again(
    narrow: Cluster, stack: AsyncExitStack, address: str, leaving: Door
) -> None:
    """A guest comes in once another one of its address has left, and no more than one."""
    guests = await fill(stack, narrow, address)
    one = guests[DOORS.index(leaving)]
    url = narrow.gateway_url(1)
    assert not await is_let_in(stack, url, address)
    await one.socket.close() if leaving != "polling" else await one.raw("1")
    await eventually(lambda: is_let_in(stack, url, address))
    assert not await is_let_in(stack, narrow.gateway_url(2), address)


async def test_after_a_killed_gateway(
    narrow_and_sturdy: Cluster, stack: AsyncExitStack, address: str
) -> None:
    """The guests of a killed gateway soon count no more, and those of the other one still do."""
    first, second = (narrow_and_sturdy.gateway_url(number) for number in (1, 2))
    for url in (first, second, second, second):
        await come(stack, url, address)
    assert not await is_let_in(stack, first, address)
    narrow_and_sturdy.kill("gateway-2")
    for _ in range(3):
        await eventually(lambda: is_let_in(stack, first, address))
    assert not await is_let_in(stack, first, address)


async def test_after_a_drained_gateway(
    narrow_and_sturdy: Cluster, stack: AsyncExitStack, address: str
) -> None:
    """Guests whom a drain sends away find a place elsewhere, though they have not left yet."""
    first, second = (narrow_and_sturdy.gateway_url(number) for number in (1, 2))
    guests = [await come(stack, second, address) for _ in range(PLACES)]
    assert not await is_let_in(stack, first, address)
    narrow_and_sturdy.kill("gateway-2", signal.SIGTERM)
    for guest in guests:
        await guest.next("reconnect")
        assert await is_let_in(stack, first, address)
    assert not await is_let_in(stack, first, address)


async def test_a_guest_that_is_recovered(
    narrow: Cluster, stack: AsyncExitStack, address: str
) -> None:
    """A guest whose connection broke unnoticed takes its own place again on the other gateway."""
    lost = SocketIODoor(narrow.gateway_url(1), headers={"X-Forwarded-For": address})
    await stack.enter_async_context(lost)
    for _ in range(PLACES - 1):
        await come(stack, narrow.gateway_url(1), address)
    url = narrow.gateway_url(2)
    assert not await is_let_in(stack, url, address, "socket.io")
    again = SocketIODoor(url, f"pid={lost.pid}", headers={"X-Forwarded-For": address})
    await stack.enter_async_context(again)
    assert again.pid == lost.pid
    assert await lost.closed() is not None
    assert not await is_let_in(stack, url, address, "socket.io")
    # Its place is its own: the end of its first connection has not freed it.
    await again.request("getRooms")
    assert not await is_let_in(stack, narrow.gateway_url(1), address)


async def test_while_the_broker_is_away(
    narrow_and_sturdy: Cluster, stack: AsyncExitStack, address: str
) -> None:
    """Each gateway lets so many guests in by itself, and they count together afterwards."""
    pid = narrow_and_sturdy.kill("redis", signal.SIGSTOP)
    assert pid
    of_first: list[Peer] = []
    try:
        for number in (1, 2):
            url = narrow_and_sturdy.gateway_url(number)
            for place in range(PLACES + 1):
                guest = enter("json", url, "welcome=1", "", address)
                await stack.enter_async_context(guest)
                await guest.emit("getRooms")
                if place < PLACES:
                    await guest.next("welcome", within=HANGS_AFTER)
                    if number == 1:
                        of_first.append(guest)
                else:
                    assert await guest.closed() == 4429
    finally:
        narrow_and_sturdy.kill("redis", signal.SIGCONT)
    for guest in of_first:
        await guest.socket.close()
    first = narrow_and_sturdy.gateway_url(1)

    async def counts_those_of_the_other() -> bool:
        async with AsyncExitStack() as visit:
            return not await is_let_in(visit, first, address)

    assert await eventually(counts_those_of_the_other)
