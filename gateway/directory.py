"""Rooms by key: the broker first, then SQL, opened again where only SQL had it."""

from typing import Final

from shared.broker.publisher import Accepted, Publisher, RoomNotHeld
from shared.broker.rooms import NotHeld, RoomBroker
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Body, RoomCreated
from shared.model.ids import room_key
from shared.model.rooms import Room
from shared.storage.reader import Reader

MOST_TRIES: Final = 5
"""Rounds of find and compare-and-set: each lost one means that somebody else moved on."""


class Directory:
    """Finds, makes and reopens rooms, and sends to them."""

    def __init__(self, broker: RoomBroker, reader: Reader, publisher: Publisher) -> None:
        self._broker = broker
        self._reader = reader
        self._publisher = publisher

    async def room(self, key: str) -> Room | None:
        """The room of this key, held by the broker when this returns; None if there is none.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL must be asked.
        """
        for _ in range(MOST_TRIES):
            found = await self._broker.find(key)
            if isinstance(found, Room):
                return found
            stored = await self._reader.room(key)
            if stored is None:
                return None
            await self._broker.open(stored, found)
        raise broker_unavailable()

    async def create(self, created: RoomCreated) -> Room:
        """Make a room.

        Raises:
            ChatError: `room_exists`, `overloaded`, `broker_unavailable`, `storage_unavailable`.
        """
        for _ in range(MOST_TRIES):
            found = await self._broker.find(created.key)
            if not isinstance(found, NotHeld) or await self._reader.room(created.key):
                raise ChatError("room_exists", "a room of this name exists")
            made = await self._broker.create(created, found)
            if isinstance(made, Room):
                return made
        raise broker_unavailable()

    async def rooms(self, after: str, limit: int) -> list[Room]:
        """Named rooms by name, those that SQL does not have yet among them.

        Args:
            after: names above this one.
            limit: how many at the most.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        # The broker first: what it has let go of by then is in SQL.
        start, end = room_key(after), room_key(chr(0x10FFFF))
        fresh = await self._broker.unstored(start, limit)
        stored = await self._reader.rooms_by_key(start, end, limit)
        by_key = {room.key: room for room in stored}
        for key in fresh:
            if key < end and key not in by_key and (room := await self.room(key)):
                by_key[key] = room
        return [by_key[key] for key in sorted(by_key)][:limit]

    async def send(
        self, key: str, room_id: int, sender: str, client_msg_id: str, body: Body
    ) -> Accepted:
        """Send to a room; sends take their places in the order of these calls' first steps.

        Raises:
            ChatError: as `Publisher.send`, and as `room`.
        """
        try:
            return await self._publisher.send(key, room_id, sender, client_msg_id, body)
        except RoomNotHeld:
            await self.room(key)
        try:
            return await self._publisher.send(key, room_id, sender, client_msg_id, body)
        except RoomNotHeld:
            raise broker_unavailable() from None
