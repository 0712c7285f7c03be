"""A test's broker, database and persisters, and parts of a gateway to call directly."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from gateway.rooms.store.chat_list import ChatList, ListedChat
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.opener import RoomOpener
from gateway.rooms.store.pages.chat_pages import ChatPages
from gateway.rooms.store.pages.history import History
from gateway.rooms.store.pages.moderation_log import ModerationLog
from gateway.rooms.store.replay import Replay
from persister.__main__ import serve
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.partitions import PartitionBroker, PartitionProbe
from shared.broker.partitions.stream import StreamReader
from shared.broker.rooms.answers import NotHeld
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.send import Accepted
from shared.broker.transport.client import UNAVAILABLE, Client
from shared.broker.transport.pipe import Pipe
from shared.config import Settings, load
from shared.errors import ChatError
from shared.model.events import RoomCreated
from shared.model.log_events import HistoryCleared, MessageDeleted, MessagePosted, RoomDeleted
from shared.model.rooms import Room
from shared.storage.chats import ChatReader
from shared.storage.engine import open_engine
from shared.storage.reader import Reader
from shared.trail import Trail
from tests.support.process import Process
from tests.support.storage import Database
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually


class Stage:
    """One server, one database, `partitions` partitions."""

    def __init__(self, server: Valkey, folder: Path, partitions: int = 2) -> None:
        self.server = server
        self.partitions = partitions
        self.database = Database(folder / "parley.db")
        self.env = {
            "NAMESPACE": "stage",
            "REDIS_URL": server.url,
            "DATABASE_URL": self.database.url,
            "PARTITIONS": str(partitions),
            "LOG_LENGTH": "100",
            "LEASE_SECONDS": "0.5",
        }
        self.settings = load(Settings, self.env)
        self.client = server.client()
        self.engine = open_engine(self.database.url, writes=False)
        self.reader = Reader(self.engine)
        self.keys = Keyspace("stage", partitions)
        self.fence = Fence(partitions)
        self.probe = PartitionProbe(server.pipe(), self.keys, self.fence)
        self.rooms = self.room_broker()
        self.logs = self.log_broker()
        self.publisher = Publisher(server.pipe(), self.keys, self.fence, self.settings)
        self.directory = Directory(self.rooms, self.reader)
        RoomOpener(self.publisher, self.directory)
        self.check = EpochCheck(self.reader, self.fence)
        self.history = History(
            *(self.logs, self.directory, self.reader, self.check, self.keys, self.fence)
        )
        self.acts = ModerationLog(
            *(self.logs, self.reader, self.directory, self.check, self.keys, self.fence)
        )
        self.replay = Replay(self.logs, self.reader)
        chats = ChatReader(self.reader)
        self.chats = ChatList(self.rooms, self.logs, chats, self.check, self.fence)
        self.chat_pages = ChatPages(self.chats, self.history, 1000)
        self.cursor_broker = CursorBroker(
            *(self.client, server.pipe(), self.keys, self.fence, self.settings)
        )
        self.cursors = Cursors(self.cursor_broker, self.directory, chats)

    async def listed(self, user: str) -> list[ListedChat]:
        """The chats of a user, with the contents of their last messages."""
        chats = await self.chats.list_chats(user)
        return await self.chats.with_contents(chats, stored_only=False)

    def room_broker(self, most: int = 100_000) -> RoomBroker:
        """The RoomBroker of another gateway, with connections of its own."""
        client, reads = self.server.client(), self.server.pipe()
        return RoomBroker(client, reads, self.keys, self.fence, most)

    def log_broker(self, client: Client | None = None, reads: Pipe | None = None) -> LogBroker:
        """The LogBroker of another gateway, with connections of its own unless given."""
        client, reads = client or self.server.client(), reads or self.server.pipe()
        return LogBroker(client, reads, self.keys, self.fence)

    def partition_broker(self, settings: Settings | None = None) -> PartitionBroker:
        """The PartitionBroker of another persister, with connections of its own."""
        client, pipe = self.server.client(), self.server.pipe()
        return PartitionBroker(client, pipe, self.keys, self.fence, settings or self.settings)

    def persister(self, **env: str) -> Process:
        """A persister of this stage, not started."""
        return Process("persister", {**self.env, **env})

    @asynccontextmanager
    async def running(self, **env: str) -> AsyncIterator[Process]:
        """Run a persister in a process of its own, which has opened the partitions."""
        async with self.persister(**env) as process:
            await self.opened()
            yield process

    @asynccontextmanager
    async def storing(self, **env: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Run a persister in this process, which starts faster.

        Yields:
            What ends it before the block does.
        """
        with patch("persister.__main__.StreamReader", partial(StreamReader, block=0.02)):
            settings = load(Settings, {**self.env, **env})
            working = asyncio.create_task(serve(settings, Trail(settings, "persister")))
            await asyncio.sleep(0)  # it is made, with a reader that lets a test end soon

        async def end() -> None:
            if not working.done():
                signal.raise_signal(signal.SIGTERM)
            ended, _ = await asyncio.wait([working], timeout=HANGS_AFTER)
            while not working.done():
                working.cancel()
                await asyncio.wait([working], timeout=0.1)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)
            assert ended, "the persister did not end"
            await working

        try:
            await self.opened()
            yield end
        finally:
            await end()

    async def opened(self) -> None:
        """Wait until every partition accepts sends."""

        async def look() -> bool:
            try:
                return all(state.epoch for state in await self.probe.states())
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

    async def chat(self, one: str = "ann", other: str = "bob") -> Room:
        """The direct chat of two users."""
        found, _ = await self.directory.chat_of(one, other)
        return found

    async def send(
        self, room: Room, msg_id: str, content: str | None = None, *, by: str = "ann"
    ) -> Accepted:
        """Send a message; its content is its id unless given."""
        body = MessagePosted(by, content or msg_id, msg_id)
        return await self.publisher.send(room, by, msg_id, body)

    async def insist(self, room: Room, msg_id: str) -> Accepted:
        """Send a message again and again until it is accepted."""
        refusals: list[ChatError] = []

        async def attempt() -> Accepted | None:
            try:
                return await self.send(room, msg_id)
            except ChatError as error:
                if not error.retryable:
                    raise
                refusals.append(error)
                return None

        try:
            accepted = await eventually(attempt)
        except AssertionError as error:
            raise AssertionError(f"refused to the end: {refusals[-1].payload()}") from error
        assert accepted is not None
        return accepted

    async def clear(self, room: Room, msg_id: str = "clear") -> Accepted:
        """Delete all messages of a room."""
        return await self.publisher.send(room, "ann", msg_id, HistoryCleared("ann"))

    async def delete(self, room: Room, message: Accepted, *, by: str = "ann") -> Accepted:
        """Delete one message."""
        body = MessageDeleted(by, message.id, message.seq)
        return await self.publisher.send(room, by, f"delete {message.id}", body)

    async def drop(self, room: Room) -> Accepted:
        """Delete a room with all it holds."""
        return await self.publisher.send(room, "", f"drop {room.id}", RoomDeleted(""))

    async def see(self, room: Room, user: str, seq: int) -> None:
        """Move a user's cursor."""
        await self.cursors.move(room, user, seq, 0, "")

    async def gone_quiet(self, room: Room) -> None:
        """Wait until a room was evicted from the broker."""

        async def look() -> bool:
            return isinstance(await self.rooms.find(room.key), NotHeld)

        await eventually(look)

    async def gone_quiet_at_once(self, room: Room) -> None:
        """Evict a room of which SQL has everything."""
        settings = replace(self.settings, room_idle=0.001)
        owner = self.partition_broker(settings)

        async def left() -> bool:
            for number in range(self.partitions):
                await owner.evict_idle(number)
            return isinstance(await self.rooms.find(room.key), NotHeld)

        await eventually(left)

    async def stored(self, room: Room) -> list[tuple[Any, ...]]:
        """The rows of a room in SQL: (seq, client_msg_id, kind)."""
        query = "SELECT seq, client_msg_id, kind FROM events WHERE room_id = ? ORDER BY seq"
        return await self.database.rows(query, room.id)

    async def all_stored(self, room: Room, count: int, within: float = HANGS_AFTER) -> None:
        """Wait until SQL has `count` events of a room."""

        async def look() -> bool:
            return len(await self.stored(room)) >= count

        await eventually(look, within)

    async def backlog(self) -> int:
        """Events in all the streams."""
        rows = [await self.server.admin.xrange(part.stream) for part in self.keys.partitions]
        # One field of a row is its format.
        return sum(len(fields) - 1 for found in rows for _, fields in found)

    async def trimmed(self) -> None:
        """Wait until the streams are empty."""

        async def look() -> bool:
            return await self.backlog() == 0

        await eventually(look)

    async def cut(self, room: Room) -> None:
        """Wait until a room's log is cut to LOG_LENGTH, which may be a second after the streams."""
        log = self.keys.of(room.key).log(room.key)

        async def look() -> bool:
            return int(await self.server.admin.xlen(log)) <= self.settings.log_length

        await eventually(look)

    async def close(self) -> None:
        """Close the connections to the broker and the database."""
        await self.publisher.close()
        await self.engine.dispose()
