"""Moving cursors: the broker first; SQL where only it knows where a cursor is."""

from typing import Final

from gateway.rooms.store.directory import Directory
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.send import RoomNotHeld
from shared.errors import broker_unavailable
from shared.model.rooms import Room
from shared.storage.chats import ChatReader

MAX_TRIES: Final = 5


class Cursors:
    """How far users have seen rooms."""

    def __init__(self, broker: CursorBroker, directory: Directory, reader: ChatReader) -> None:
        self._broker = broker
        self._directory = directory
        self._reader = reader

    async def read(self, room: Room, *, stored: bool) -> tuple[int, dict[str, int]]:
        """How far users have seen a room.

        Args:
            room: the room.
            stored: ask SQL, too; else those that moved since the broker holds the room.

        Returns:
            The epoch of the room's partition, and the cursors by user.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        found = await self._reader.cursors(room.id) if stored else {}
        epoch, fresh = await self._broker.read(room.key)
        return epoch, found | fresh

    async def move(self, room: Room, user: str, seq: int, message_id: int, origin: str) -> None:
        """Move a cursor forward; one that is there already, or beyond, stays.

        Raises:
            ChatError: `not_found` when the room is gone, `overloaded`, `broker_unavailable`,
                `storage_unavailable`.
        """
        stored: int | None = None
        for _ in range(MAX_TRIES):
            try:
                moved = await self._broker.move(
                    room, user, seq, stored=stored, message_id=message_id, origin=origin
                )
            except RoomNotHeld:
                await self._directory.room(room.key)
                continue
            if moved.status != "unknown":
                return
            stored = await self._reader.cursor(room.id, user)
        raise broker_unavailable()
