"""The log of a room as one page of history reads it, part by part."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial as bind
from typing import Final

from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.pages.draft import PageDraft
from shared.broker.rooms.answers import MessagePart
from shared.broker.rooms.logs import Direction, LogBroker
from shared.errors import ChatError
from shared.model.rooms import Room

UNKNOWN_EPOCH: Final = 0
"""Epoch of a page or log part that the broker did not confirm."""


class PageLog:
    """Reads parts of a room's log for a page.

    A log counts only if SQL has no later epoch: the log of a server that a failover left behind
    ends too early. Once it does not count, or the broker is away, all further parts are empty, so
    that the rest of the page comes from SQL.

    Attributes:
        is_partial: True if messages may be missing from the page.
    """

    def __init__(
        self,
        room: Room,
        logs: LogBroker,
        directory: Directory,
        check: EpochCheck,
        known_epoch: Callable[[], int],
    ) -> None:
        """Prepare.

        Args:
            room: the room whose log is read.
            logs: reads logs.
            directory: opens a room that the broker does not hold.
            check: asks SQL for the epochs.
            known_epoch: returns the latest epoch of the room's partition that is known.
        """
        self.is_partial = False
        self._room = room
        self._logs = logs
        self._directory = directory
        self._check = check
        self._known_epoch = known_epoch
        self._epoch: int | None = None

    @property
    def is_away(self) -> bool:
        """True if the log does not count, or cannot be read."""
        return self._epoch == UNKNOWN_EPOCH

    async def read(
        self, direction: Direction, lowest: int, highest: int, draft: PageDraft
    ) -> MessagePart:
        """Read the next part for a page.

        Raises:
            ChatError: `not_found` when the room is gone.
        """
        if self.is_away:
            return self._nothing
        reading = self._part(direction, lowest, highest, draft.step, draft.deleted_step)
        part = await (self._confirmed(reading) if self._epoch is None else reading)
        is_current = self._known_epoch() <= part.epoch == (self._epoch or part.epoch)
        self._epoch = part.epoch if is_current else UNKNOWN_EPOCH
        if self.is_away:
            self.is_partial = True
            return self._nothing
        draft.floor = max(draft.floor, part.floor)
        return part

    async def read_gone(self, direction: Direction, lowest: int, highest: int) -> Sequence[int]:
        """Read deleted seqs, as `LogBroker` does; none while the broker is away."""
        try:
            return await self._logs.read_gone(self._room, direction, lowest, highest)
        except ChatError:
            self.is_partial = True
            return []

    @property
    def _nothing(self) -> MessagePart:
        return MessagePart(UNKNOWN_EPOCH, self._room.id, 0, 0)

    async def _confirmed(self, reading: Awaitable[MessagePart]) -> MessagePart:
        """Read the first part, and ask SQL for the epochs at the same time.

        So a later epoch that began before this call is noticed.
        """
        confirming = asyncio.create_task(self._check.confirm())
        try:
            part = await reading
            self.is_partial = not await confirming
        finally:
            confirming.cancel()
        return part

    async def _part(
        self, direction: Direction, lowest: int, highest: int, limit: int, deleted: int
    ) -> MessagePart:
        """Read a part; an empty one while the broker or the partition is away."""
        room = self._room
        read = bind(self._logs.read_messages, room.key, direction, lowest, highest, limit, deleted)
        try:
            part = await read()
            if part is None and await self._directory.room(room.key):
                part = await read()
        except ChatError:
            part = None
        if part is None:
            return self._nothing
        if part.room_id != room.id:
            raise ChatError("not_found", "this room does not exist any more")
        return part
