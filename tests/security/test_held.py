"""Connections that are opened to be held: others are served meanwhile, and each is ended."""

import asyncio
import contextlib
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from tests.security.doors import DOORS, enter, new_address
from tests.security.raw import RawSocket
from tests.support.cluster import Cluster
from tests.support.peer import Peer

MANY = 100
MORE_MEMORY = 32 * 2**20
HALF = b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


@contextmanager
def held(port: int, start: bytes, count: int = MANY) -> Iterator[list[RawSocket]]:
    """Open connections, and send no more than this on each."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(RawSocket(port)) for _ in range(count)]
        for one in sockets:
            one.send(start)
        yield sockets


def drip(sockets: list[RawSocket], within: float = 60) -> int:
    """Send a byte on each now and then until it is hung up on: how many are left at the end."""
    left, until = set(sockets), time.monotonic() + within
    while left and time.monotonic() < until:
        ready, _, _ = select.select(left, [], [], 0.2)
        left -= set(ready)
        for one in list(left):
            if not one.send(b"x"):
                left.discard(one)
    return len(left)


def wait_out(sockets: list[RawSocket], within: float = 60) -> int:
    """Wait until each is hung up on: how many are left at the end."""
    left, until = set(sockets), time.monotonic() + within
    while left and time.monotonic() < until:
        ready, _, _ = select.select(left, [], [], 0.2)
        left -= {one for one in ready if one.ended()}
    return len(left)


@pytest.mark.parametrize("gateway", [0, 1, 2])
async def test_handshakes_that_never_end(cluster: Cluster, gateway: int) -> None:
    """100 that drip, and 100 that say nothing, are hung up on; others get in meanwhile."""
    port = cluster.gateway_port(gateway)
    served = cluster.gateway_url(gateway)
    processes = [psutil.Process(cluster.pid(f"gateway-{n}")) for n in (1, 2)]
    before = sum(process.memory_info().rss for process in processes)
    with held(port, HALF) as slow, held(port, b"") as silent:
        dripping = asyncio.create_task(asyncio.to_thread(drip, slow))
        waiting = asyncio.create_task(asyncio.to_thread(wait_out, silent))
        for door in DOORS:
            async with enter(door, served) as peer:
                assert await peer.request("getRooms") == {}
        assert await dripping == 0
        assert await waiting == 0
    after = sum(process.memory_info().rss for process in processes)
    assert after < before + MORE_MEMORY


@pytest.mark.parametrize("gateway", [1, 2])
async def test_bodies_that_come_after_their_answers(cluster: Cluster, gateway: int) -> None:
    """A connection whose request was answered before its body had come is idle, and is ended."""
    head = b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n"
    with held(cluster.gateway_port(gateway), head, 10) as sockets:
        for one in sockets:
            answer = await asyncio.to_thread(one.some)
            assert answer.startswith(b"HTTP/1.1 404")
            one.send(b"hello")
        assert await asyncio.to_thread(wait_out, sockets) == 0


async def test_peers_that_are_gone(cluster: Cluster) -> None:
    """A WebSocket that does not answer pings is dropped; one that does stays, however silent."""
    with ExitStack() as stack:
        gone = []
        for gateway in (1, 2):
            for protocol in ("chat.json", "chat.msgpack"):
                for _ in range(10):
                    one = stack.enter_context(RawSocket(cluster.gateway_port(gateway)))
                    assert one.upgrade("/ws", protocol).startswith(b"HTTP/1.1 101")
                    gone.append(one)
        async with Peer(cluster.gateway_url(1)) as silent, Peer(cluster.gateway_url(2)) as other:
            assert await asyncio.to_thread(wait_out, gone) == 0
            for peer in (silent, other):
                assert await peer.request("getRooms") == {}


async def test_who_never_says_who_they_are(guarded: Cluster) -> None:
    """Connections that show no token are closed with 4408, over Socket.IO too."""
    async with contextlib.AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(
                Peer(guarded.gateway_url(1 + number % 2), headers=new_address())
            )
            for number in range(20)
        ]
        with ExitStack() as sockets:
            raw = [sockets.enter_context(RawSocket(guarded.gateway_port(n))) for n in (1, 2)]
            for one in raw:
                head = one.upgrade("/socket.io/?EIO=4&transport=websocket")
                assert head.startswith(b"HTTP/1.1 101")
            assert [await peer.closed() for peer in peers] == [4408] * 20
            assert await asyncio.to_thread(wait_out, raw) == 0
