"""A gateway that is told to stop sends its clients elsewhere; nothing they sent is unanswered."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.cluster import Cluster
from tests.support.lender import Lender
from tests.support.peer import Peer


@pytest.fixture(scope="module")
async def lender() -> AsyncIterator[Lender]:
    """What has two gateways that may take three seconds to leave."""
    async with Lender(DRAIN_SECONDS="3") as lender:
        yield lender


async def test_a_stopped_gateway_drains(sturdy: Cluster, room: str) -> None:
    """Clients are told to reconnect, every send in flight is answered, then it closes with 1012."""
    async with (
        Peer(sturdy.gateway_url(1), "username=ann") as ann,
        Peer(sturdy.gateway_url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        sends = [
            asyncio.create_task(ann.request("message", {"room": room, "content": str(n)}))
            for n in range(200)
        ]
        await asyncio.sleep(0)  # all of them are on their way
        killed = sturdy.kill("gateway-1", signal.SIGTERM)
        told = await ann.next("reconnect")
        assert 0 <= told["data"]["afterMs"] <= 3000
        replies = await asyncio.gather(*sends)
        assert await ann.closed() == 1012
        await bob.until(200, "message", room)
        assert sorted(reply["seq"] for reply in replies) == list(range(1, 201))
        assert "ann disconnected" not in str(bob.all("notification"))
        await sturdy.wait_restarted("gateway-1", killed)


async def test_1000_clients_leave_without_a_spike() -> None:
    """1,000 clients of one gateway are told to go at moments spread over DRAIN_SECONDS."""
    # That each of them comes and goes is told to nobody, which would be most of the work.
    async with Cluster(env={"DRAIN_SECONDS": "5", "BROADCAST_LIMIT": "0"}) as cluster:
        peers: list[Peer] = []
        for _ in range(10):  # all at once, their own client would take too long for one of them
            hundred = (Peer(cluster.gateway_url(1)).__aenter__() for _ in range(100))
            peers += await asyncio.gather(*hundred)
        started = time.monotonic()
        cluster.kill("gateway-1", signal.SIGTERM)

        async def leave(peer: Peer) -> tuple[int, float]:
            after: int = (await peer.next("reconnect"))["data"]["afterMs"]
            assert await peer.closed() == 1012
            return after, time.monotonic() - started

        left = await asyncio.gather(*(leave(peer) for peer in peers))
        moments = [after for after, _ in left]
        assert max(moments) <= 5000
        busiest = max(sum(at <= after < at + 500 for after in moments) for at in range(0, 5000, 50))
        print(f"1,000 drained: last after {max(m for _, m in left):.1f} s, {busiest} sent in 0.5 s")
        assert busiest <= 200


async def test_presence_is_kept_for_those_who_come_back(sturdy: Cluster) -> None:
    """A user sent away by a leaving gateway is never seen offline if it comes back in time."""
    async with (
        Peer(sturdy.gateway_url(2)) as ann,
        Peer(sturdy.gateway_url(1)) as bob,
    ):
        await ann.request("userOnline", 1)
        await bob.request("userOnline", 2)
        while (await ann.next("onlineUsers"))["data"] != [1, 2]:
            pass
        seen = len(ann.all("onlineUsers"))
        killed = sturdy.kill("gateway-1", signal.SIGTERM)
        await bob.next("reconnect")
        await bob.closed()
        async with Peer(sturdy.gateway_url(2)) as again:
            await again.request("userOnline", 2)
            await again.next("onlineUsers")
            await sturdy.wait_restarted("gateway-1", killed)
            async with Peer(sturdy.gateway_url(2)) as carol:
                await carol.request("userOnline", 3)
                while 3 not in (await ann.next("onlineUsers"))["data"]:
                    pass
            assert all(2 in users for users in ann.all("onlineUsers")[seen:])
