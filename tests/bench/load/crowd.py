"""The clients of a scenario: connected, in their rooms, at the end checked."""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from time import perf_counter

from tests.bench.load.client import Client
from tests.bench.load.dialects import DIALECTS
from tests.bench.load.room import InvalidRunError, Room
from tests.bench.plan import Job

AT_ONCE = 50
"""Connections and joins under way at a time."""

MAKING = 250
"""Rooms being made at a time."""

DELIVERY_TIMEOUT_SECONDS = 30.0
STORE_TIMEOUT_SECONDS = 120.0
"""Seconds the last message may take to everybody, and to SQL."""


class Crowd:
    """All rooms of a job and their members, spread over its endpoints in turn."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.rooms: list[Room] = []
        self.clients: list[Client] = []
        self._endpoints: dict[Client, str] = {}
        for group in job.scenario.groups:
            for _ in range(group.rooms):
                self.add_room(group.members, direct=group.direct)

    def add_room(self, size: int, *, direct: bool = False) -> Room:
        """Add a room; its first member, who posts, is on each node in turn."""
        room = Room(len(self.rooms), size, direct=direct)
        kind = DIALECTS[self.job.dialect][direct]
        for place in range(size):
            client = kind(f"u{len(self.clients)}", room)
            nodes = self.job.endpoints[: self.job.scenario.nodes or None]
            self._endpoints[client] = nodes[(room.number + place) % len(nodes)]
            self.clients.append(client)
        self.rooms.append(room)
        return room

    async def gather(self) -> None:
        """Connect everybody and let them join their rooms."""
        await self.connect(self.clients)
        for room in self.rooms:
            await self.clients_of(room)[0].create(room.name)
        await in_parallel(self.clients, lambda client: client.join())
        if self.job.scenario.known:
            await self._make_known(self.job.scenario.known)

    async def _make_known(self, count: int) -> None:
        """Make rooms that nobody is in, and wait until SQL has them."""
        say(f"  making {count} rooms")
        numbers = iter(range(count))

        async def make(client: Client) -> None:
            for number in numbers:
                await client.create(f"other-{number:06d}")

        started = perf_counter()
        await in_parallel(self.clients, make, MAKING)
        say(f"  made in {perf_counter() - started:.0f} s")
        await self._until(
            lambda: self._rows("rooms") >= count,
            STORE_TIMEOUT_SECONDS,
            "wait for rooms to be stored",
        )

    async def connect(self, clients: Sequence[Client]) -> None:
        """Connect clients."""
        await in_parallel(clients, lambda client: client.connect(self._endpoints[client]))

    def clients_of(self, room: Room) -> list[Client]:
        """The members of a room."""
        return [client for client in self.clients if client.room is room]

    @property
    def deliveries(self) -> int:
        """Messages that arrived at a client, each checked."""
        return sum(client.next + len(client.ahead) for client in self.clients)

    @property
    def messages(self) -> int:
        """Messages sent."""
        return sum(len(room.texts) for room in self.rooms)

    @property
    def disorder(self) -> dict[str, int]:
        """The numbers of deliveries that came out of order, and twice."""
        return {
            "out_of_order": sum(room.out_of_order for room in self.rooms),
            "duplicates": sum(room.duplicates for room in self.rooms),
        }

    def check(self) -> None:
        """Check that nothing was wrong so far.

        Raises:
            InvalidRunError: something was, or a connection was lost.
        """
        for room in self.rooms:
            if room.problem:
                raise InvalidRunError(room.problem)
        if self.job.strict and any(self.disorder.values()):
            raise InvalidRunError(f"deliveries in the wrong order, or twice: {self.disorder}")
        if lost := [client.user for client in self.clients if client.lost.done()]:
            raise InvalidRunError(f"connections were lost: {', '.join(lost[:10])}")

    async def settle(self) -> None:
        """Wait until every client and SQL have every message."""
        await self.delivered()
        await self._until(self._stored, STORE_TIMEOUT_SECONDS, "were not stored")

    async def delivered(self) -> None:
        """Wait until every client has every message.

        Raises:
            InvalidRunError: somebody lacks something for too long, or something was wrong.
        """
        await self._until(
            self._delivered, DELIVERY_TIMEOUT_SECONDS, "were not delivered to everybody"
        )

    def _delivered(self) -> bool:
        return all(room.completed == len(room.texts) for room in self.rooms)

    def _stored(self) -> bool:
        return self.job.stored is None or self._rows("events") >= self.messages

    def _rows(self, table: str) -> int:
        address = f"file:{self.job.stored}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            (count,) = database.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
        return int(count)

    async def _until(self, happened: Callable[[], bool], within: float, failure: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not happened():
                    self.check()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            lack = sum(sum(room.left) for room in self.rooms)
            raise InvalidRunError(f"messages {failure}: {lack} deliveries are missing") from None
        self.check()


async def in_parallel(
    clients: Iterable[Client], work: Callable[[Client], Awaitable[None]], at_once: int = AT_ONCE
) -> None:
    """Do something for each client, some at a time."""
    waiting = iter(clients)

    async def worker() -> None:
        for client in waiting:
            await work(client)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


def say(line: str) -> None:
    """Print progress."""
    print(line, file=sys.stderr, flush=True)
