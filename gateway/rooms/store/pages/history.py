"""Pages of history, from the room's log and, below the log's first event, from SQL."""

from functools import partial as bind
from typing import Any, Final

import msgspec

from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.gone import DeletedRuns, Range, ranges
from gateway.rooms.store.pages.draft import PageDraft, WriteMessage, WrittenMessage, keep
from gateway.rooms.store.pages.log import UNKNOWN_EPOCH, PageLog
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.answers import MessagePart
from shared.broker.rooms.logs import LogBroker
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.rooms import Room
from shared.model.timeline import Message
from shared.storage.pages import PageReader
from shared.storage.reader import Reader

MAX_LOG_READS: Final = 400
"""Reads of the log for one page, each of `MAX_ENTRIES_READ` entries.

That is more than a log has with the largest settings, so a page ends early only where a log is even
longer. The client then goes on from `next`.
"""


class Page(msgspec.Struct, frozen=True):
    """A page, oldest first. It has as many messages as were asked for, or all that there are.

    It has fewer where its bytes are full before. Deleted messages are not counted. Those among the
    first messages may be in the page, without their text; a longer row of them is left out.

    Attributes:
        written: the messages, each with its item as the client gets it.
        head: the last seq of the room when the page was read.
        epoch: the epoch of the room's partition; 0 when the broker did not answer.
        partial: True if the broker or SQL is away, so that messages may be missing.
        next: the seq from which the following page goes on, in the same direction; None if there
            is nothing more.
    """

    written: list[WrittenMessage]
    head: int
    epoch: int
    partial: bool
    next: int | None

    @property
    def items(self) -> list[Message]:
        """The messages."""
        return [each.message for each in self.written]

    @property
    def encoded(self) -> list[Any]:
        """The items of all messages."""
        return [each.item for each in self.written]

    @property
    def encoded_visible(self) -> list[Any]:
        """The items of the messages that are not deleted."""
        return [each.item for each in self.written if not each.message.deleted]


class History:
    """Reads pages of history."""

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
        self._pages = PageReader(reader)
        self._deleted = DeletedRuns()
        self._check = check
        self._keys = keys
        self._fence = fence

    async def newest(
        self, room: Room, limit: int, before: int = TOP, write: WriteMessage = keep
    ) -> Page:
        """Read the last `limit` messages below the seq `before`.

        Args:
            room: the room or chat.
            limit: number of messages at most.
            before: upper end of the page.
            write: encodes each message; the page ends where it returns None.

        Raises:
            ChatError: `storage_unavailable` when neither broker nor SQL answers; `not_found`
                when the room is gone.
        """
        log, draft = self._log(room), PageDraft(limit, before, "backward", write)
        first = part = await log.read("backward", 0, max(before - 1, 0), draft)
        for _ in range(MAX_LOG_READS):
            step = draft.step
            draft.add_part(part)
            draft.is_end = _reaches_floor(part)
            if draft.is_done:
                break
            # A part that ended with its count does not tell what is deleted below the log.
            if not part.more and len(part.events) - len(part.changes.gone) < step:
                await self._read_stored_below(room, part, log, draft)
                break
            self._deleted.note(part)
            if run := self._deleted.at(part, draft.at):
                draft.at, draft.is_end = run.low, run.prev <= draft.floor
                if draft.is_end:
                    break
            part = await log.read("backward", 0, draft.at - 1, draft)
        return await self._page(room, *draft.finish(), first, log)

    async def after(self, room: Room, after: int, limit: int, write: WriteMessage = keep) -> Page:
        """Read the first `limit` messages above the seq `after`.

        Args:
            room: the room or chat.
            after: lower end of the page.
            limit: number of messages at most.
            write: encodes each message; the page ends where it returns None.

        Raises:
            ChatError: `storage_unavailable` when SQL is needed and away: a client would take a
                page that begins above a hole for complete. `not_found` when the room is gone.
        """
        log, draft = self._log(room), PageDraft(limit, after, "forward", write)
        for _ in range(MAX_LOG_READS):
            part = await log.read("forward", draft.at + 1, TOP, draft)
            draft.at = max(draft.at, part.floor)
            if _misses(part, draft.at):
                # Then the log again, for as many messages as are still missing.
                await self._read_stored_above(room, part, log, draft)
            else:
                draft.add_part(part)
                draft.is_end = not part.more
                self._deleted.note(part)
                if run := self._deleted.at(part, draft.at):
                    draft.at = run.high
            if draft.is_done:
                break
        written, following = draft.finish()
        if log.is_away and following is None:
            following = draft.at  # the log may have more, once it can be read
        return await self._page(room, written, following, part, log)

    async def _read_stored_below(
        self, room: Room, part: MessagePart, log: PageLog, draft: PageDraft
    ) -> None:
        """Read from SQL what is below the log, for as long as the page is not full."""
        known = part.gone_beside
        try:
            async for each in ranges("backward", draft.floor, draft.at, known, log.read_gone):
                if not await self._add_stored(room, each, draft, newest=True):
                    return
        except ChatError:
            if log.is_away:
                raise
            log.is_partial = True
        else:
            draft.is_end = True

    async def _read_stored_above(
        self, room: Room, part: MessagePart, log: PageLog, draft: PageDraft
    ) -> None:
        """Read from SQL what is below the log's first event, while the page is not full."""
        below, known = part.first or TOP, part.gone_beside
        async for each in ranges("forward", draft.at, below, known, log.read_gone):
            if not await self._add_stored(room, each, draft, newest=False):
                return
        if part.first:
            draft.at = part.first - 1
        else:
            draft.is_end = True

    async def _add_stored(self, room: Room, each: Range, draft: PageDraft, *, newest: bool) -> bool:
        """Read a range from SQL, step by step; return True if the page still lacks messages."""
        after, below = each.after, each.below
        while True:
            page = await self._pages.read(
                *(room.id, after, below, draft.step, draft.deleted_step),
                newest=newest,
                gone=each.gone,
            )
            draft.add_stored(page, each.gone)
            if draft.is_done or page.whole:
                return page.whole and not draft.is_full
            after, below = (after, draft.at) if newest else (draft.at, below)

    def _log(self, room: Room) -> PageLog:
        known_epoch = bind(self._fence.epoch, self._keys.number_of(room.key))
        return PageLog(room, self._logs, self._directory, self._check, known_epoch)

    async def _page(
        self,
        room: Room,
        written: list[WrittenMessage],
        following: int | None,
        part: MessagePart,
        log: PageLog,
    ) -> Page:
        head = part.head if part.epoch else await self._reader.head(room.id)
        return Page(written, head, part.epoch, log.is_partial, following)


def _reaches_floor(part: MessagePart) -> bool:
    """Return True if there are no messages below a part that was read backward."""
    # An event names the one before it. If that is not above the floor, nothing is.
    if part.last:
        return part.last_prev <= part.floor
    return part.epoch != UNKNOWN_EPOCH and part.head <= part.floor


def _misses(part: MessagePart, at: int) -> bool:
    """Return True if SQL has to be asked for what is between `at` and a part read forward."""
    if part.first:
        return part.first_prev > at
    return part.epoch == UNKNOWN_EPOCH or part.head > at
