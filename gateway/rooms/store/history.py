"""Pages of history, from the room's log and, below the log's first event, from SQL."""

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
"""Epoch of a page or log part that the broker did not confirm."""


class Page(msgspec.Struct, frozen=True):
    """A page, oldest first.

    Attributes:
        head: the last seq of the room when the page was read.
        epoch: the epoch of the room's partition; 0 when the broker did not answer.
        partial: True if the broker or SQL is away, so that messages may be missing.
    """

    items: list[Message]
    head: int
    epoch: int
    partial: bool


class History:
    """Reads pages of history.

    A log counts only if SQL has no later epoch: the log of a server that a failover left behind
    ends too early. Otherwise the page contains what SQL has, and is `partial`.
    """

    # The log is read before SQL. Example: events up to 40 are in SQL, 41 to 50 in the log only.
    # SQL is read first, up to 40; then the persister stores 41 to 45 and the broker trims them;
    # then the log is read and begins at 46. The page would have a hole. Read first, the log has 41,
    # and whatever is trimmed afterwards is in SQL already.

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
        """Read the last `limit` messages below the seq `before`.

        Raises:
            ChatError: `storage_unavailable` when neither broker nor SQL answers; `not_found`
                when the room is gone.
        """
        highest = None if before == TOP else max(before - 1, 0)
        part, confirmed = await self._confirmed_log(room, "backward", highest=highest, limit=limit)
        events, floor, changes = part.events, part.floor, part.changes
        items = fold([], events, floor, changes)
        below = events[0].seq if events else before
        # The log's first event names the one before it: only if that is above the floor, there are
        # messages below the log to read from SQL.
        complete = events[0].prev <= floor if events else part.epoch > 0 and part.head <= floor
        partial = part.epoch == UNKNOWN_EPOCH or not confirmed
        if len(items) < limit and not complete and below > 1:
            try:
                stored = await self._reader.newest(room.id, floor, below, limit - len(items))
            except ChatError:
                if part.epoch == UNKNOWN_EPOCH:
                    raise
                partial = True
            else:
                items = fold(stored, events, floor, changes)
        newest_first = _limit_characters(items[: -limit - 1 : -1])
        return await self._page(room, newest_first[::-1], part, partial=partial)

    async def after(self, room: Room, after: int, limit: int) -> Page:
        """Read the first `limit` messages above the seq `after`.

        Raises:
            ChatError: `storage_unavailable` when SQL is needed and away: a client would take a
                page that begins above a hole for complete. `not_found` when the room is gone.
        """
        part, confirmed = await self._confirmed_log(room, "forward", lowest=after + 1, limit=limit)
        if part.floor > after:
            # All messages up to the floor are deleted. They would fill the page and show nothing.
            part, confirmed = await self._confirmed_log(
                room, "forward", lowest=part.floor + 1, limit=limit
            )
        events, floor, changes = part.events, part.floor, part.changes
        start = max(after, floor)
        items = fold([], events, floor, changes)
        first = events[0] if events else None
        missing = first.prev > start if first else part.epoch == UNKNOWN_EPOCH or part.head > start
        if missing:
            below = first.seq if first else TOP
            stored = await self._reader.oldest(room.id, start, below, limit)
            items = fold(stored, events, floor, changes)
        partial = part.epoch == UNKNOWN_EPOCH or not confirmed
        return await self._page(room, _limit_characters(items[:limit]), part, partial=partial)

    async def _confirmed_log(
        self,
        room: Room,
        direction: Literal["forward", "backward"],
        *,
        lowest: int = 0,
        highest: int | None = None,
        limit: int,
    ) -> tuple[LogPart, bool]:
        """Read a part of the log with `limit` messages, or all that it has.

        SQL is asked for the epochs at the same time, so that a later epoch that began before this
        call is noticed.

        Returns:
            The part, and True if SQL confirmed that its epoch is the latest.
        """
        confirming = asyncio.create_task(self._check.confirm())
        try:
            part = await self._log_with_messages(
                room, direction, lowest=lowest, highest=highest, limit=limit
            )
            confirmed = await confirming
        finally:
            confirming.cancel()
        if part.epoch < self._fence.epoch(self._keys.number_of(room.key)):
            part = LogPart(UNKNOWN_EPOCH, room.id, 0, 0, [])
        return part, confirmed

    async def _log_with_messages(
        self,
        room: Room,
        direction: Literal["forward", "backward"],
        *,
        lowest: int,
        highest: int | None,
        limit: int,
    ) -> LogPart:
        """Read on in the log until there are `limit` messages, or the log ends."""
        # Not every event is a message. Example: the log has messages 1 to 60, and 61 to 80 delete
        # some of them; SQL has events up to 10. The newest 20 events contain no message. If the
        # page went on in SQL now, 11 to 60 would be missing from it.
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
        """Read a part of the log; an empty one while the broker or the partition is away."""
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
            raise ChatError("not_found", "this room does not exist any more")
        return part

    async def _page(
        self, room: Room, items: list[Message], part: LogPart, *, partial: bool
    ) -> Page:
        if part.epoch == UNKNOWN_EPOCH:
            return Page(items, await self._reader.head(room.id), UNKNOWN_EPOCH, partial)
        return Page(items, part.head, part.epoch, partial)


def _limit_characters(items: Iterable[Message]) -> list[Message]:
    """Return the first messages that have `MAX_PAGE_CHARACTERS` together, but at least one."""
    page: list[Message] = []
    characters = 0
    for item in items:
        characters += len(item.content)
        if page and characters > MAX_PAGE_CHARACTERS:
            break
        page.append(item)
    return page
