"""Events of a room after a place, as they happened: from its log, and from SQL below that."""

from typing import Final

import msgspec

from shared.broker.rooms.answers import LogPart
from shared.broker.rooms.logs import LogBroker
from shared.model.events import Event
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.storage.reader import Reader

MAX_PAGE_EVENTS: Final = 1000
"""Events read at a time."""


class Replayed(msgspec.Struct, frozen=True):
    """A page of events after a place.

    Attributes:
        more: there may be more after the last one.
        unbroken: the place they were asked for is one of the room's; False when it was lost.
        from_log: the log had all of it.
        head: the last seq of the room when it was read; 0 when the broker does not hold it.
    """

    events: list[Event]
    more: bool
    unbroken: bool
    from_log: bool
    head: int


class Replay:
    """Reads events again, for those who missed them. What was deleted since is left out."""

    def __init__(self, logs: LogBroker, reader: Reader) -> None:
        self._logs = logs
        self._reader = reader

    async def after(self, room: Room, seq: int) -> Replayed:
        """The next events of a room after `seq`, in order.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` when the log does not reach
                back to `seq` and SQL is away.
        """
        part = await self._logs.read_log(room.key, "forward", lowest=seq + 1, limit=MAX_PAGE_EVENTS)
        if part is None or part.room_id != room.id:
            # What the broker does not hold, SQL has.
            return await self._from_sql(room, seq, None)
        first = part.events[0] if part.events else None
        if first.prev > seq if first else part.head > seq:
            # Below a log's beginning SQL has everything too.
            return await self._from_sql(room, seq, part)
        unbroken = first.prev == seq if first else part.head == seq
        more = len(part.events) == MAX_PAGE_EVENTS
        return Replayed(_shown(part.events, part), more, unbroken, from_log=True, head=part.head)

    async def _from_sql(self, room: Room, seq: int, part: LogPart | None) -> Replayed:
        """Events of SQL, then those of the log that follow them."""
        below = None if part is None else part.events[0].seq if part.events else part.head + 1
        stored = await self._reader.events(room.id, seq, below, MAX_PAGE_EVENTS)
        unbroken = seq == 0 or await self._reader.has_seq(room.id, seq)
        head = part.head if part else 0
        if part is None:
            return Replayed(
                stored, len(stored) == MAX_PAGE_EVENTS, unbroken, from_log=False, head=head
            )
        if len(stored) == MAX_PAGE_EVENTS:
            shown = _shown(stored, part)
            return Replayed(shown, more=True, unbroken=unbroken, from_log=False, head=head)
        more = len(part.events) == MAX_PAGE_EVENTS
        shown = _shown(stored + part.events, part)
        return Replayed(shown, more, unbroken, from_log=False, head=head)


def _shown(events: list[Event], part: LogPart) -> list[Event]:
    """Events without messages that were deleted since, as the broker knows it."""
    return [
        event
        for event in events
        if not isinstance(event.body, MessagePosted)
        or (event.seq > part.floor and event.seq not in part.changes.gone)
    ]
