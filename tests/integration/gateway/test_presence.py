"""`onlineUsers`: how often it is sent."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection

import pytest

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.presence import LIST_BYTES_PER_SECOND, Presence
from gateway.connections.flusher import Flusher
from gateway.rooms.fan_out import FanOut
from tests.integration.broker.bench import Bench
from tests.support.ear import Ear
from tests.support.valkey import Valkey

CLIENTS = 30
LONG = "x" * 3000
"""What makes the lists long that all these clients are sent."""


class Crowd:
    """Clients that are online, with the presence of their gateway."""

    def __init__(self, server: Valkey, limit: int) -> None:
        flusher = Flusher()
        publisher = Bench(server).publisher
        heartbeat = HeartbeatMonitor(publisher, "gw-1", lambda: CLIENTS + 1)
        self.users = [f"{LONG}{number}" for number in range(CLIENTS)]
        self.presence = Presence(
            *(FanOut(flusher), heartbeat, publisher, self._partners, limit, 512 * 1024)
        )
        self.ears = [Ear(flusher) for _ in range(CLIENTS + 1)]
        for user, ear in zip(self.users, self.ears, strict=False):
            self.presence.set_online(user, ear.client)

    async def list(self) -> list[str]:
        """The next list that the first client is sent."""
        listed: list[str] = (await self.ears[0].receive())["data"]
        return listed

    async def _partners(self, users: Collection[str]) -> dict[str, set[str]]:
        return {user: {*self.users, *users} for user in users}


@pytest.fixture(params=[1000, 10], ids=["all are seen", "partners are seen"])
async def crowd(server: Valkey, request: pytest.FixtureRequest) -> AsyncIterator[Crowd]:
    """A crowd that sees each other, either way."""
    made = Crowd(server, request.param)
    made.presence.task.start()
    yield made
    await made.presence.task.close()


async def test_one_user_does_not_flood_all(crowd: Crowd) -> None:
    """However often somebody comes and goes, long lists for many come as their rate allows."""
    flapping, loop = crowd.ears[-1].client, asyncio.get_running_loop()
    size = sum(len(user) + 3 for user in await crowd.list()) * CLIENTS

    async def flap() -> None:
        for number in itertools.count():
            crowd.presence.set_online(f"eve {number}", flapping)
            await asyncio.sleep(0.02)
            crowd.presence.set_offline(f"eve {number}", flapping)

    task = asyncio.create_task(flap())
    await crowd.list()
    begun = loop.time()
    for _ in range(3):
        last = await crowd.list()
    assert loop.time() - begun > 2.5 * size / LIST_BYTES_PER_SECOND
    task.cancel()
    await asyncio.wait([task])
    crowd.presence.set_online("eve", flapping)
    while "eve" not in last:
        last = await crowd.list()
