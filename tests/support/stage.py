"""A whole core for a test: a broker, a database, persisters, and the gateway's parts by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.directory import Directory
from gateway.history import History
from shared.broker.client import UNAVAILABLE
from shared.broker.keys import PartitionKeys
from shared.broker.partitions import PartitionProbe
from shared.broker.publisher import Accepted, Publisher
from shared.broker.rooms import RoomBroker
from shared.errors import ChatError
from shared.model.events import HistoryCleared, MessagePosted, RoomCreated
from shared.model.rooms import Room
from shared.storage.engine import open_engine
from shared.storage.reader import Reader
from tests.support.process import Process
from tests.support.storage import Database
from tests.support.valkey import Valkey
from tests.support.waiting import eventually


class Stage:
    """One server, one database, `partitions` partitions."""

    def __init__(self, server: Valkey, folder: Path, partitions: int = 2) -> None:
        self.server = server
        self.partitions = partitions
        self.database = Database(folder / "parley.db")
        self.env = {
            "REDIS_URL": server.url,
            "DATABASE_URL": self.database.url,
            "PARTITIONS": str(partitions),
            "LOG_LENGTH": "100",
            "LEASE_SECONDS": "1",
        }
        self.client = server.client()
        self.engine = open_engine(self.database.url, writes=False)
        self.reader = Reader(self.engine)
        self.probe = PartitionProbe(self.client, partitions)
        self.rooms = RoomBroker(self.client, partitions, 100_000)
        self.publisher = Publisher(self.client, partitions, 100_000, 60)
        self.directory = Directory(self.rooms, self.reader, self.publisher)
        self.history = History(self.rooms, self.directory, self.reader)

    def persister(self, **env: str) -> Process:
        """A persister of this stage, not started."""
        return Process("persister", {**self.env, **env})

    @asynccontextmanager
    async def running(self, **env: str) -> AsyncIterator[Process]:
        """A persister that has opened the partitions."""
        async with self.persister(**env) as process:
            await self.opened()
            yield process

    async def opened(self) -> None:
        """Wait until every partition accepts sends."""

        async def look() -> bool:
            try:
                return await self.probe.closed() == 0
            except UNAVAILABLE:
                return False

        await eventually(look)

    async def epochs(self) -> list[int]:
        """The partitions' epochs in SQL."""
        return [epoch for (epoch,) in await self.database.rows("SELECT epoch FROM partitions")]

    async def in_epoch(self, least: int) -> None:
        """Wait until every partition is open in this epoch or a later one."""

        async def look() -> bool:
            epochs = await self.epochs()
            return len(epochs) == self.partitions and min(epochs) >= least

        await eventually(look)
        await self.opened()

    async def make(self, name: str = "general") -> Room:
        """A new room."""
        return await self.directory.create(RoomCreated("room", f"r:{name}", name, "", "ann"))

    async def send(self, room: Room, msg_id: str, content: str | None = None) -> Accepted:
        """Send a message; its content is its id unless given."""
        body = MessagePosted("ann", content or msg_id, msg_id)
        return await self.directory.send(room.key, room.id, "ann", msg_id, body)

    async def insist(self, room: Room, msg_id: str) -> Accepted:
        """Send a message again and again until it is accepted."""

        async def attempt() -> Accepted | None:
            try:
                return await self.send(room, msg_id)
            except ChatError as error:
                if not error.retryable:
                    raise
                return None

        accepted = await eventually(attempt)
        assert accepted is not None
        return accepted

    async def clear(self, room: Room, msg_id: str = "clear") -> Accepted:
        """Delete everything said so far."""
        return await self.directory.send(room.key, room.id, "ann", msg_id, HistoryCleared("ann"))

    async def stored(self, room: Room) -> list[tuple[Any, ...]]:
        """What SQL has of a room: (seq, client_msg_id, kind)."""
        query = "SELECT seq, client_msg_id, kind FROM events WHERE room_id = ? ORDER BY seq"
        return await self.database.rows(query, room.id)

    async def all_stored(self, room: Room, count: int, within: float = 20) -> None:
        """Wait until SQL has `count` events of a room."""

        async def look() -> bool:
            return len(await self.stored(room)) >= count

        await eventually(look, within)

    async def backlog(self) -> int:
        """Entries in all the streams."""
        streams = [PartitionKeys(n).stream for n in range(self.partitions)]
        return sum([await self.server.admin.xlen(stream) for stream in streams])

    async def trimmed(self) -> None:
        """Wait until the streams are empty."""

        async def look() -> bool:
            return await self.backlog() == 0

        await eventually(look)

    async def close(self) -> None:
        """Let go of the broker and the database."""
        await self.publisher.close()
        await self.engine.dispose()
