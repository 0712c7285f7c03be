"""Reading and moving of cursors: in the broker, and in SQL for cursors that it does not hold."""

from typing import Final

from gateway.rooms.store.directory import Directory
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.send import RoomNotHeld
from shared.errors import broker_unavailable
from shared.model.rooms import Room
from shared.storage.chats import ChatReader

MAX_TRIES: Final = 5


class Cursors:
    """Reads and moves the cursors of users."""

    def __init__(self, broker: CursorBroker, directory: Directory, reader: ChatReader) -> None:
        self._broker = broker
        self._directory = directory
        self._reader = reader

    async def read(self, room: Room, *, stored: bool) -> tuple[int, dict[str, int]]:
        """Read the cursors of a room.

        Args:
            room: the room or chat.
            stored: True to read SQL too; False for those that moved since the broker holds the
                room.

        Returns:
            The epoch of the room's partition, and the cursors by user.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        # SQL first here: cursors only grow, so the broker's value is as new as SQL's or newer and
        # replaces it. Its epoch is read with its values, so the caller can tell lost ones.
        in_sql = await self._reader.cursors(room.id) if stored else {}
        epoch, in_broker = await self._broker.read(room.key)
        return epoch, in_sql | in_broker

    async def move(self, room: Room, user: str, seq: int, message_id: int, origin: str) -> None:
        """Move a cursor forward; a cursor that is at `seq` or beyond stays.

        Args:
            room: the room or chat.
            user: whose cursor moves.
            seq: the last seq that the user has seen.
            message_id: the message that the user marked as seen; 0 for none.
            origin: id of the connection, which is not told of the move.

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
