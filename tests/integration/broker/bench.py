"""What tests of the broker work with: the product's classes around one partition."""

import asyncio
from typing import Any

from shared import codec
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import PartitionBroker
from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.answers import HeldRoom, NotHeld
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.send import Accepted
from shared.broker.rooms.wakes import WakeLog
from shared.config import Settings
from shared.errors import ChatError
from shared.model.events import Event, RoomCreated
from shared.model.formats import NEWEST
from shared.model.ids import chat_key, counter_of
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from tests.support.valkey import Valkey

KEYS = Keyspace("bench", 1)
PART = KEYS[0]


def creation(name: str, creator: str = "ann") -> RoomCreated:
    """The creation of the open room `name`."""
    return RoomCreated("room", f"r:{name}", name, "", creator)


class Bench:
    """One partition, as gateways and its owner see it."""

    def __init__(self, server: Valkey) -> None:
        self.server = server
        self.settings = Settings(log_length=100, max_backlog=1000, room_idle=0.001)
        self.fence = Fence(1)
        self.client: Any = server.client()
        self.rooms = self.room_broker()
        self.logs = LogBroker(self.client, server.pipe(), KEYS, self.fence)
        self.cursors = self.cursor_broker()
        self.publisher = self.new_publisher()
        self.owner = self.partition_broker(self.settings)

    def room_broker(self) -> RoomBroker:
        """Another gateway's, with connections of its own."""
        return RoomBroker(self.server.client(), self.server.pipe(), KEYS, self.fence, 1000)

    def cursor_broker(self, settings: Settings | None = None) -> CursorBroker:
        """Another gateway's, with connections of its own."""
        client, reads = self.server.client(), self.server.pipe()
        return CursorBroker(client, reads, KEYS, self.fence, settings or self.settings)

    def new_publisher(self, settings: Settings | None = None, *, timeout: float = 5.0) -> Publisher:
        """Another gateway's, with connections of its own."""
        return Publisher(self.server.pipe(timeout), KEYS, self.fence, settings or self.settings)

    def partition_broker(self, settings: Settings) -> PartitionBroker:
        """Another persister's, with connections of its own."""
        return PartitionBroker(self.server.client(), self.server.pipe(), KEYS, self.fence, settings)

    def member(self, name: str, lease_seconds: float = 0.5) -> Membership:
        """A persister among the living processes."""
        pipe = self.server.pipe()
        return Membership(pipe, KEYS, name, "persister", lease_seconds=lease_seconds)

    def wakes(self) -> WakeLog:
        """A gateway's way to the wake log."""
        return WakeLog(PartitionReader(self.server.pipe(), KEYS, self.fence))

    async def reopen(self, epoch: int, start: int = 0) -> None:
        """Open the partition in an epoch."""
        await self.owner.close(0)
        assert await self.owner.open(0, epoch, await self.owner.state(0), start, NEWEST) == "open"

    async def make(self, name: str = "general") -> Room:
        """A new room."""
        room = await self.rooms.create(creation(name), await self.not_held(name))
        assert isinstance(room, Room)
        return room

    async def chat(self, one: str = "ann", other: str = "bob") -> Room:
        """A new direct chat."""
        key = chat_key(one, other)
        seen = await self.rooms.find(key)
        assert isinstance(seen, NotHeld)
        made = await self.rooms.create(RoomCreated("direct", key, "", "", one, one, other), seen)
        assert isinstance(made, Room)
        return made

    async def evict(self) -> int:
        """Wait until ROOM_IDLE is over, and let quiet rooms go."""
        await asyncio.sleep(0.005)  # ROOM_IDLE is a millisecond here, by the server's clock
        return await self.owner.evict_idle(0)

    async def not_held(self, name: str = "general") -> NotHeld:
        """What `find` says of a room that is not held."""
        found = await self.rooms.find(f"r:{name}")
        assert isinstance(found, NotHeld)
        return found

    async def found(self, name: str = "general") -> Room:
        """What `find` says of a room that is held."""
        found = await self.rooms.find(f"r:{name}")
        assert isinstance(found, HeldRoom)
        return found.room

    async def send(
        self, room: Room, msg_id: str, content: str = "hi", *, via: Publisher | None = None
    ) -> Accepted:
        """Send a message."""
        body = MessagePosted("ann", content, msg_id)
        return await (via or self.publisher).send(room, "ann", msg_id, body)

    async def fill(self, room: Room, count: int) -> list[Accepted]:
        """Send `count` messages, one tick after the other."""
        return [await self.send(room, f"fill-{n}", f"message {n}") for n in range(count)]

    async def fill_more(self, room: Room, count: int) -> None:
        """Send `count` other messages, all at once."""
        await asyncio.gather(*(self.send(room, f"more-{n}") for n in range(count)))

    async def log(self, room: Room) -> list[Event]:
        """A room's whole log."""
        rows = await self.client.xrange(PART.log(room.key))
        return [codec.decode(fields[b"e"]) for _, fields in rows]

    async def stream(self) -> list[tuple[int, Event]]:
        """The partition's whole stream: counters and events."""
        rows = await self.client.xrange(PART.stream)
        events = [codec.decode(data) for _, fields in rows for data in list(fields)[1:]]
        return [(counter_of(event.id), event) for event in events]


async def code_of(work: object) -> str:
    """The code of the ChatError that something ends with, or 'no error'."""
    try:
        await work  # type: ignore[misc]
    except ChatError as error:
        return error.code
    return "no error"
