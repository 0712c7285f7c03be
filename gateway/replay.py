"""Events of a room after a place, as they happened: from its log, and from SQL below that."""

from typing import Final

from shared.broker.rooms import RoomBroker
from shared.model.events import Event
from shared.model.rooms import Room
from shared.storage.reader import Reader

PAGE: Final = 1000
"""Events read at a time."""


class Replay:
    """Reads events again, for those who missed them."""

    def __init__(self, broker: RoomBroker, reader: Reader) -> None:
        self._broker = broker
        self._reader = reader

    async def after(self, room: Room, seq: int) -> tuple[list[Event], bool]:
        """The next events of a room after `seq`, in order, and whether there are more.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` when the log does not reach
                back to `seq` and SQL is away.
        """
        part = await self._broker.read_log(room.key, "forward", lowest=seq + 1, limit=PAGE)
        if part is None or part.room_id != room.id:
            # What the broker does not hold, SQL has; so it does what is below a log's beginning.
            stored = await self._reader.events(room.id, seq, None, PAGE)
            return stored, len(stored) == PAGE
        first = part.events[0] if part.events else None
        if first.prev > seq if first else part.head > seq:
            below = first.seq if first else part.head + 1
            stored = await self._reader.events(room.id, seq, below, PAGE)
            if len(stored) == PAGE:
                return stored, True
            return stored + part.events, len(part.events) == PAGE
        return part.events, len(part.events) == PAGE
