"""Pages of history: the room's log, then SQL for what is below it, folded into one order."""

import asyncio
from collections.abc import Iterable
from functools import partial as bind
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.answers import LogPart
from shared.broker.rooms.logs import LogBroker
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.rooms import Room
from shared.model.timeline import Message, fold
from shared.protocol.limits import MAX_PAGE_CHARACTERS
from shared.storage.reader import Reader

UNKNOWN_EPOCH: Final = 0
"""Stands for the epoch of a partition that cannot be asked."""


class Page(msgspec.Struct, frozen=True):
    """A page, oldest first.

    Attributes:
        head: the last seq of the room when the page was read.
        epoch: of the room's partition; 0 when the broker did not answer.
        partial: the broker or SQL is away, and more may belong here.
    """

    items: list[Message]
    head: int
    epoch: int
    partial: bool


class History:
    """Reads pages. The log is read first: SQL first could miss what is stored in between.

    A log is taken for what it says only where SQL knows of no later epoch: a server that a failover
    left behind has a log that ends too early. Then the page is what SQL has, and says `partial`.
    """

    def __init__(
        self,
        logs: LogBroker,
        directory: Directory,
        reader: Reader,
        check: EpochCheck,
        keys: Keyspace,
        fence: Fence,
    ) -> None:
        self._logs = logs
        self._directory = directory
        self._reader = reader
        self._check = check
        self._keys = keys
        self._fence = fence

    async def newest(self, room: Room, limit: int, before: int = TOP) -> Page:
        """The last `limit` messages below `before`.

        Raises:
            ChatError: `storage_unavailable` when neither broker nor SQL answers; `not_found`
                when the room is gone.
        """
        highest = None if before == TOP else max(before - 1, 0)
        part, sure = await self._log_of(room, "backward", highest=highest, limit=limit)
        events, floor, changes = part.events, part.floor, part.changes
        items = fold([], events, floor, changes)
        below = events[0].seq if events else before
        complete = events[0].prev <= floor if events else part.epoch > 0 and part.head <= floor
        away = part.epoch == UNKNOWN_EPOCH or not sure
        if len(items) < limit and not complete and below > 1:
            try:
                stored = await self._reader.newest(room.id, floor, below, limit - len(items))
            except ChatError:
                if part.epoch == UNKNOWN_EPOCH:
                    raise
                away = True
            else:
                items = fold(stored, events, floor, changes)
        newest_first = _within_text(items[: -limit - 1 : -1])
        return await self._page(room, newest_first[::-1], part, partial=away)

    async def after(self, room: Room, after: int, limit: int) -> Page:
        """The first `limit` messages above `after`.

        Raises:
            ChatError: `storage_unavailable` when SQL is needed and away: a page that begins
                above a hole would be taken for the whole. `not_found` when the room is gone.
        """
        part, sure = await self._log_of(room, "forward", lowest=after + 1, limit=limit)
        if part.floor > after:  # what is below it would fill the page and show nothing
            part, sure = await self._log_of(room, "forward", lowest=part.floor + 1, limit=limit)
        events, floor, changes = part.events, part.floor, part.changes
        seen = max(after, floor)
        items = fold([], events, floor, changes)
        first = events[0] if events else None
        missing = first.prev > seen if first else part.epoch == UNKNOWN_EPOCH or part.head > seen
        if missing:
            below = first.seq if first else TOP
            stored = await self._reader.oldest(room.id, seen, below, limit)
            items = fold(stored, events, floor, changes)
        away = part.epoch == UNKNOWN_EPOCH or not sure
        return await self._page(room, _within_text(items[:limit]), part, partial=away)

    async def _log_of(
        self,
        room: Room,
        direction: Literal["forward", "backward"],
        *,
        lowest: int = 0,
        highest: int | None = None,
        limit: int,
    ) -> tuple[LogPart, bool]:
        """A part of the log with `limit` messages, or all it has; whether it is sure to be.

        SQL is asked for the epochs at the same time as the broker for the log, so that what was
        accepted in a later epoch before this was called is noticed.
        """
        confirming = asyncio.create_task(self._check.confirm())
        try:
            part = await self._whole_log(
                room, direction, lowest=lowest, highest=highest, limit=limit
            )
            sure = await confirming
        finally:
            confirming.cancel()
        if part.epoch < self._fence.epoch(self._keys.number_of(room.key)):
            part = LogPart(UNKNOWN_EPOCH, room.id, 0, 0, [])
        return part, sure

    async def _whole_log(
        self,
        room: Room,
        direction: Literal["forward", "backward"],
        *,
        lowest: int,
        highest: int | None,
        limit: int,
    ) -> LogPart:
        """A part of the log with `limit` messages, or all it has.

        Not every event is a message. What the log has SQL may lack, so a page that went on in SQL
        before the log's end would have a hole.
        """
        part = await self._log(room, direction, lowest=lowest, highest=highest, limit=limit)
        events, more = part.events, len(part.events) == limit
        while more and len(fold([], events, part.floor)) < limit:
            if direction == "backward":
                highest = events[0].seq - 1
            else:
                lowest = events[-1].seq + 1
            part = await self._log(room, direction, lowest=lowest, highest=highest, limit=limit)
            events = sorted(part.events + events, key=lambda event: event.seq)
            more = len(part.events) == limit and events[0].seq > part.floor
        return replace(part, events=events)

    async def _log(
        self,
        room: Room,
        direction: Literal["forward", "backward"],
        *,
        lowest: int = 0,
        highest: int | None = None,
        limit: int,
    ) -> LogPart:
        """A part of the log; an empty one while the broker or the room's partition is away."""
        read = bind(
            self._logs.read_log, room.key, direction, lowest=lowest, highest=highest, limit=limit
        )
        try:
            part = await read()
            if part is None and await self._directory.room(room.key):
                part = await read()
        except ChatError:
            part = None
        if part is None:
            return LogPart(UNKNOWN_EPOCH, room.id, 0, 0, [])
        if part.room_id != room.id:
            raise ChatError("not_found", "there is no such room any more")
        return part

    async def _page(
        self, room: Room, items: list[Message], part: LogPart, *, partial: bool
    ) -> Page:
        if part.epoch == UNKNOWN_EPOCH:
            return Page(items, await self._reader.head(room.id), UNKNOWN_EPOCH, partial)
        return Page(items, part.head, part.epoch, partial)


def _within_text(items: Iterable[Message]) -> list[Message]:
    """The first messages that fit into a page, one at least: pages are bounded in bytes too."""
    kept: list[Message] = []
    text = 0
    for item in items:
        text += len(item.content)
        if kept and text > MAX_PAGE_CHARACTERS:
            break
        kept.append(item)
    return kept
