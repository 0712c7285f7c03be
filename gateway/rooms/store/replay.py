"""Replay of a room's events after a seq, from its log and, below the log, from SQL."""

from typing import Final

import msgspec

from shared.broker.rooms.answers import LogPart
from shared.broker.rooms.logs import LogBroker
from shared.model.events import Event
from shared.model.ids import TOP
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.storage.reader import Reader

MAX_PAGE_EVENTS: Final = 1000
"""Events read at a time."""


class Replayed(msgspec.Struct, frozen=True):
    """A page of events after a seq.

    Attributes:
        up_to: the seq up to which everything was read; the following page goes on after it. Where
            many messages were deleted, it is far above the last event, or there is no event.
        more: True if there may be more events after `up_to`.
        unbroken: True if the seq that was asked for is an event of the room; False if that event
            was lost, so that the client has something that the room does not.
        from_log: True if all events came from the log.
        head: the last seq of the room when it was read; 0 when the broker does not hold the room.
    """

    events: list[Event]
    up_to: int
    more: bool
    unbroken: bool
    from_log: bool
    head: int


class Replay:
    """Reads events for clients and gateways that missed them, without messages deleted since.

    A page comes from a bounded number of events, so that it costs as much where all of them are
    deleted messages. Then it is empty, and there is more.
    """

    def __init__(self, logs: LogBroker, reader: Reader) -> None:
        self._logs = logs
        self._reader = reader

    async def after(self, room: Room, seq: int, limit: int | None = None) -> Replayed:
        """Read the next events of a room after `seq`, in order.

        Args:
            room: the room or chat.
            seq: lower end of the page.
            limit: number of events that are read; None for `MAX_PAGE_EVENTS`.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` when the log does not reach
                back to `seq` and SQL is away.
        """
        limit = limit or MAX_PAGE_EVENTS
        part = await self._logs.read_log(room.key, lowest=seq + 1, limit=limit)
        if part is None or part.room_id != room.id:
            # The broker drops a room from memory only once SQL has all of it.
            return await self._from_sql(room, seq, None, limit)
        first = part.events[0] if part.events else None
        if first.prev > seq if first else part.head > seq:
            # The log begins too late. It is trimmed only below the committed position, so SQL has
            # all events before its first one.
            return await self._from_sql(room, seq, part, limit)
        # Example: a client has 43; Redis lost 42 and 43, and the new epoch's first event is 5042
        # with `prev` 41. `prev` is not 43, so the client has two events that are gone and must
        # load the history anew. "All events above 43" alone would look like a success.
        unbroken = first.prev == seq if first else part.head == seq
        events, up_to, more = _live(part.events, part), _last(part, seq), _has_more(part, limit)
        return Replayed(events, up_to, more, unbroken, from_log=True, head=part.head)

    async def _from_sql(self, room: Room, seq: int, part: LogPart | None, limit: int) -> Replayed:
        """Read events from SQL, then those of the log that follow them."""
        below = TOP
        if part is not None:
            below = part.events[0].seq if part.events else part.head + 1
            if part.gone_up_to is not None:
                below = part.gone_up_to + 1  # deletions above it are not known here
        stored = await self._reader.events(room.id, seq, below, limit)
        unbroken = seq == 0 or await self._reader.has_seq(room.id, seq)
        head = part.head if part else 0
        events, up_to, more = _live(stored.events, part), stored.up_to, stored.more
        if part and not more and part.gone_up_to is not None:
            up_to, more = part.gone_up_to, True
        elif part and not more:
            events += _live(part.events, part)
            up_to, more = _last(part, up_to), _has_more(part, limit)
        return Replayed(events, up_to, more, unbroken, from_log=False, head=head)


def _last(part: LogPart, before: int) -> int:
    return part.events[-1].seq if part.events else before


def _has_more(part: LogPart, limit: int) -> bool:
    return len(part.events) == limit


def _live(events: list[Event], part: LogPart | None) -> list[Event]:
    """Leave out messages that were deleted since, as far as the broker knows."""
    if part is None:
        return events
    return [
        event
        for event in events
        if not isinstance(event.body, MessagePosted)
        or (event.seq > part.floor and event.seq not in part.gone)
    ]
