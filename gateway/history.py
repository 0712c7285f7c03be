"""Pages of history: the room's log, then SQL for what is below it, folded into one order."""

from functools import partial as bind
from typing import Final, Literal

import msgspec

from gateway.directory import Directory
from shared.broker.rooms import LogPart, RoomBroker
from shared.errors import ChatError
from shared.model.timeline import Message, fold
from shared.storage.reader import Reader

TOP: Final = 2**53
"""Above every seq."""


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
    """Reads pages. The log is read first: SQL first could miss what is stored in between."""

    def __init__(self, broker: RoomBroker, directory: Directory, reader: Reader) -> None:
        self._broker = broker
        self._directory = directory
        self._reader = reader

    async def newest(self, key: str, room_id: int, limit: int, before: int = TOP) -> Page:
        """The last `limit` messages below `before`.

        Raises:
            ChatError: `storage_unavailable` when neither broker nor SQL answers.
        """
        highest = None if before == TOP else before - 1
        part = await self._log(key, "backward", highest=highest, limit=limit)
        events = part.events if part else []
        floor = part.floor if part else 0
        lowest = events[0] if events else None
        items = fold([], events, floor)
        below = lowest.seq if lowest else before
        complete = lowest is not None and lowest.prev <= floor
        partial = part is None
        if len(items) < limit and not complete and below > 1:
            try:
                stored = await self._reader.newest(room_id, floor, below, limit - len(items))
            except ChatError:
                if part is None:
                    raise
                partial = True
            else:
                items = fold(stored, events, floor)
        return await self._page(room_id, items, part, partial=partial)

    async def after(self, key: str, room_id: int, after: int, limit: int) -> Page:
        """The first `limit` messages above `after`.

        Raises:
            ChatError: `storage_unavailable` when SQL is needed and away: a page that begins
                above a hole would be taken for the whole.
        """
        part = await self._log(key, "forward", lowest=after + 1, limit=limit)
        events = part.events if part else []
        floor = part.floor if part else 0
        seen = max(after, floor)
        items = fold([], events, floor)
        first = events[0] if events else None
        missing = first.prev > seen if first else part is None or part.head > seen
        if missing:
            below = first.seq if first else TOP
            stored = await self._reader.oldest(room_id, seen, below, limit)
            items = fold(stored, events, floor)[:limit]
        return await self._page(room_id, items, part, partial=part is None)

    async def _log(
        self,
        key: str,
        direction: Literal["forward", "backward"],
        *,
        lowest: int = 0,
        highest: int | None = None,
        limit: int,
    ) -> LogPart | None:
        """A part of the log; None while the broker or the room's partition is away."""
        read = bind(
            self._broker.read_log, key, direction, lowest=lowest, highest=highest, limit=limit
        )
        try:
            part = await read()
            if part is None and await self._directory.room(key):
                part = await read()
        except ChatError:
            return None
        return part

    async def _page(
        self, room_id: int, items: list[Message], part: LogPart | None, *, partial: bool
    ) -> Page:
        if part is None:
            return Page(items, await self._reader.head(room_id), 0, partial)
        return Page(items, part.head, part.epoch, partial)
