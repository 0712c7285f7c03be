"""Replay of a room's events after a seq, from its log and, below the log, from SQL."""

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
    """A page of events after a seq.

    Attributes:
        more: True if there may be more events after the last one.
        unbroken: True if the seq that was asked for is an event of the room; False if that event
            was lost, so that the client has something that the room does not.
        from_log: True if all events came from the log.
        head: the last seq of the room when it was read; 0 when the broker does not hold the room.
    """

    events: list[Event]
    more: bool
    unbroken: bool
    from_log: bool
    head: int


class Replay:
    """Reads events for clients and gateways that missed them, without messages deleted since."""

    def __init__(self, logs: LogBroker, reader: Reader) -> None:
        self._logs = logs
        self._reader = reader

    async def after(self, room: Room, seq: int) -> Replayed:
        """Read the next events of a room after `seq`, in order.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` when the log does not reach
                back to `seq` and SQL is away.
        """
        part = await self._logs.read_log(room.key, "forward", lowest=seq + 1, limit=MAX_PAGE_EVENTS)
        if part is None or part.room_id != room.id:
            # The broker drops a room from memory only once SQL has all of it.
            return await self._from_sql(room, seq, None)
        first = part.events[0] if part.events else None
        if first.prev > seq if first else part.head > seq:
            # The log begins too late. It is trimmed only below the committed position, so SQL has
            # all events before its first one.
            return await self._from_sql(room, seq, part)
        # Example: a client has 43; Redis lost 42 and 43, and the new epoch's first event is 5042
        # with `prev` 41. `prev` is not 43, so the client has two events that are gone and must
        # load the history anew. "All events above 43" alone would look like a success.
        unbroken = first.prev == seq if first else part.head == seq
        more = len(part.events) == MAX_PAGE_EVENTS
        return Replayed(
            _without_deleted(part.events, part), more, unbroken, from_log=True, head=part.head
        )

    async def _from_sql(self, room: Room, seq: int, part: LogPart | None) -> Replayed:
        """Read events from SQL, then those of the log that follow them."""
        below = None if part is None else part.events[0].seq if part.events else part.head + 1
        stored = await self._reader.events(room.id, seq, below, MAX_PAGE_EVENTS)
        unbroken = seq == 0 or await self._reader.has_seq(room.id, seq)
        head = part.head if part else 0
        if part is None:
            return Replayed(
                stored, len(stored) == MAX_PAGE_EVENTS, unbroken, from_log=False, head=head
            )
        if len(stored) == MAX_PAGE_EVENTS:
            events = _without_deleted(stored, part)
            return Replayed(events, more=True, unbroken=unbroken, from_log=False, head=head)
        more = len(part.events) == MAX_PAGE_EVENTS
        events = _without_deleted(stored + part.events, part)
        return Replayed(events, more, unbroken, from_log=False, head=head)


def _without_deleted(events: list[Event], part: LogPart) -> list[Event]:
    """Leave out messages that were deleted since, as far as the broker knows."""
    return [
        event
        for event in events
        if not isinstance(event.body, MessagePosted)
        or (event.seq > part.floor and event.seq not in part.changes.gone)
    ]
