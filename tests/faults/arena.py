"""The arena of a run: a cluster behind proxies, and clients in rooms and chats."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis

from deploy.ports import Address
from deploy.processes.probes import Probe, http_probe, redis_probe
from shared.broker.partitions.keyspace import Keyspace
from tests.faults.client import Client
from tests.faults.clocks import Clocks
from tests.faults.history import History
from tests.faults.places import Place
from tests.faults.scale import Scale
from tests.support.cluster import Cluster
from tests.support.peer import WIRES, Peer
from tests.support.process import ROOT
from tests.support.proxy import Proxy
from tests.support.stored import rows
from tests.support.waiting import eventually

PATIENCE: Final = 45.0
"""Seconds after which what has not healed is taken for broken."""

NO_PRELUDES: Final[Mapping[str, str]] = {}

SETTINGS: Final = {
    "WELL_AFTER": "0.1",
    "DRAIN_SECONDS": "1",
    "OUTBOX_LIMIT": "262144",
    # Short logs: histories and resumes reach below them, into SQL.
    "LOG_LENGTH": "100",
}


class Arena:
    """One run's cluster and clients.

    Attributes:
        root: the folder with the sources that run.
        proxies: what stands before the broker, by the process behind it.
        clocks: moves the clocks of single processes.
        places: every room and chat, by name.
        random: decides what strikes where.
        kept: copies of what the broker had on disk, for going back.
        watching: what is still to be found out about faults that are over.
    """

    def __init__(
        self,
        scale: Scale,
        root: Path,
        cluster: Cluster,
        proxies: dict[str, Proxy],
        clocks: Clocks,
    ) -> None:
        self.root = root
        self.scale = scale
        self.cluster = cluster
        self.proxies = proxies
        self.clocks = clocks
        self.history = History()
        self.places: dict[str, Place] = {}
        self.clients: list[Client] = []
        self.random = random.Random(scale.seed)  # noqa: S311 - nothing secret about it
        self.kept: Path | None = None
        self.watching: list[asyncio.Task[None]] = []

    @property
    def gateways(self) -> list[str]:
        """The names of the gateways."""
        return [f"gateway-{n}" for n in range(1, self.scale.gateways + 1)]

    @property
    def persisters(self) -> list[str]:
        """The names of the persisters."""
        return [f"persister-{n}" for n in range(1, self.scale.persisters + 1)]

    async def populate(self) -> None:
        """Make rooms and chats, and connect everybody."""
        chats = await self._make_places()
        for number in range(self.scale.clients):
            name = user(number)
            mine = [
                place
                for n, place in enumerate(self.places.values())
                if place.room and (n - number) % self.scale.rooms < self.scale.rooms_each
            ]
            mine += chats.get(name, [])
            wire = WIRES[number % len(WIRES)]
            client = Client(self.cluster.ws_url, name, wire, mine, self.history)
            self.clients.append(client)
            client.start()
        await self.all_back()

    async def all_back(self) -> None:
        """Wait until every client is connected and has caught up."""
        await asyncio.gather(*(client.ready.wait() for client in self.clients))

    async def positions(self) -> dict[int, int]:
        """The positions of all partitions in SQL, by number."""
        found = await asyncio.to_thread(
            rows, self.cluster.database, "SELECT number, position FROM partitions"
        )
        return dict(found)

    async def keys(self) -> Keyspace:
        """The keys of the cluster's own installation."""
        found = dict(
            await asyncio.to_thread(rows, self.cluster.database, "SELECT key, value FROM meta")
        )
        return Keyspace(found["namespace"], int(found["partitions"]))

    async def whole(self) -> None:
        """Wait until every process runs and every gateway is ready."""
        await self.broker_answers()
        for name in self.gateways:
            await self.gateway_ready(name)

    async def gateway_ready(self, name: str) -> None:
        """Wait until a gateway says that it is ready."""
        port = self.cluster.gateway_port(int(name.rpartition("-")[2]))
        await _passes(http_probe(Address("127.0.0.1", port), "/health/ready"))

    async def command(self, *words: object) -> Any:  # noqa: ANN401 - each command answers differently
        """Send the cluster's own broker a command, on a connection of its own."""
        broker: Any = Redis.from_url(self.cluster.redis_url)
        try:
            return await broker.execute_command(*words)
        finally:
            await broker.aclose()

    @property
    def broker_password(self) -> str:
        """The password of the cluster's own broker."""
        return urlsplit(self.cluster.redis_url).password or ""

    async def broker_answers(self) -> None:
        """Wait until the cluster's own broker answers."""
        address = Address("127.0.0.1", self.cluster.port + 500)
        await _passes(redis_probe(address, self.broker_password))

    async def _make_places(self) -> dict[str, list[Place]]:
        """Make rooms and chats; the chats of each user."""
        found: dict[str, list[Place]] = {}
        async with Peer(self.cluster.url, "username=maker") as maker:
            for n in range(self.scale.rooms):
                name = f"room-{n:02}"
                await maker.request("createRoom", {"name": name})
                self.places[name] = Place(name, room=name)
        async with Peer(self.cluster.url) as maker:
            for n in range(self.scale.chats):
                one, other = user(2 * n), user(2 * n + 1)
                made = await maker.request("createChat", {"user1Id": one, "user2Id": other})
                name = f"chat-{n:02}"
                self.places[name] = Place(name, chat=made["id"])
                for me, you in ((one, other), (other, one)):
                    found[me] = [Place(name, chat=made["id"], other=you)]
        return found


def user(number: int) -> str:
    """The name of a client's user."""
    return f"user{number:02}"


@asynccontextmanager
async def arena(
    scale: Scale,
    *,
    data_dir: Path | None = None,
    root: Path = ROOT,
    preludes: Mapping[str, str] = NO_PRELUDES,
) -> AsyncIterator[Arena]:
    """Start a cluster with a proxy before each process's broker, and populate it.

    Args:
        scale: how large it is.
        data_dir: its data folder; one of its own unless given.
        root: the sources that run.
        preludes: a file of shell commands for some processes, read before each start; these
            processes' clocks cannot be moved.
    """
    names = [f"gateway-{n + 1}" for n in range(scale.gateways)]
    names += [f"persister-{n + 1}" for n in range(scale.persisters)]
    async with AsyncExitStack() as stack:
        cluster = Cluster(
            gateways=scale.gateways,
            persisters=scale.persisters,
            env=SETTINGS,
            data_dir=data_dir,
            module="tests.faults.launcher",
            root=root,
        )
        broker_port = cluster.port + 500
        proxies = {name: await stack.enter_async_context(Proxy(broker_port)) for name in names}
        clocks = Clocks(cluster.data_dir)
        environs = {name: {"REDIS_URL": proxy.url} for name, proxy in proxies.items()}
        cluster.environ["PROCESS_ENVIRONS"] = msgspec.json.encode(environs).decode()
        cluster.environ["PROCESS_PRELUDES"] = msgspec.json.encode(
            {**clocks.preludes, **preludes}
        ).decode()
        await stack.enter_async_context(cluster)
        field = Arena(scale, root, cluster, proxies, clocks)
        stack.push_async_callback(_stop, field)
        await field.populate()
        yield field


async def _stop(field: Arena) -> None:
    for task in field.watching:
        task.cancel()
    await asyncio.gather(*(client.stop() for client in field.clients), return_exceptions=True)


async def _passes(probe: Probe) -> None:
    async def look() -> bool:
        return await probe() is None

    await eventually(look, PATIENCE)
