"""Pages of what was done in a room by whom: from SQL, and the room's log above what SQL has."""

from typing import Final, NamedTuple

import msgspec

from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.answers import LogPart
from shared.broker.rooms.logs import LogBroker
from shared.errors import ChatError
from shared.model.events import Event
from shared.model.log_events import MessageDeleted, MessagePosted
from shared.model.rooms import Room
from shared.storage.moderation import ModerationReader, StoredAct
from shared.storage.reader import Reader

READ_EVENTS: Final = 1000
"""Events that are read at a time: of moderation from SQL, of any kind from the log."""

MAX_LOG_READS: Final = 20
"""Reads of the log for a page. With a longer part that SQL has not stored, the page is partial."""

MAX_LOOKUPS: Final = 200
"""Deleted messages whose senders are looked up for a page. Where more are in the part of the log
that SQL has not stored, the page is short, and the following one goes on from there."""


class ActsPage(msgspec.Struct, frozen=True):
    """A page of the events of moderation of a room, the newest first.

    Attributes:
        acts: without deletions of own messages.
        next: the seq below which the following page begins; None if there is nothing more.
        partial: True if newer or older ones may be missing, as SQL is away, or the log cannot be
            read whole.
    """

    acts: list[StoredAct]
    next: int | None
    partial: bool


class _Read(NamedTuple):
    """The events of moderation of a log, oldest first, and its epoch."""

    epoch: int
    events: list[Event]


class _Unstored(NamedTuple):
    """The part of a page that SQL has not stored yet, the newest first.

    Attributes:
        acts: without deletions of own messages.
        down_to: the seq of the last event that was looked at; None if all were.
        complete: False if the log cannot be read, is out of date, or is too long.
    """

    acts: list[StoredAct]
    down_to: int | None
    complete: bool


_NOTHING: Final = _Unstored([], None, complete=False)


class ModerationLog:
    """Reads what was done in rooms, by whom."""

    def __init__(
        self,
        logs: LogBroker,
        reader: Reader,
        directory: Directory,
        check: EpochCheck,
        keys: Keyspace,
        fence: Fence,
    ) -> None:
        self._logs = logs
        self._reader = reader
        self._stored = ModerationReader(reader)
        self._directory = directory
        self._check = check
        self._keys = keys
        self._fence = fence

    async def page(self, room: Room, before: int, limit: int) -> ActsPage:
        """Read the last `limit` events of moderation below the seq `before`, or fewer.

        Raises:
            ChatError: `storage_unavailable` when neither the broker nor SQL answers.
        """
        # The log before SQL: what is stored and trimmed in between is found in SQL then.
        head: int | None
        try:
            head = await self._reader.head(room.id)
        except ChatError:
            head = None
        unstored = await self._unstored(room, head or 0, before, limit)
        stored: list[StoredAct] = []
        if head is not None:
            stored = await self._stored.newest(room.id, before, READ_EVENTS)
        elif not unstored.complete and not unstored.acts:
            raise ChatError("storage_unavailable", "the database is not available, try again")
        following = stored[-1].event.seq if len(stored) == READ_EVENTS else None
        found = {act.event.seq: act for act in (*unstored.acts, *stored) if not _is_own(act)}
        lowest, following = unstored.down_to or 0, unstored.down_to or following
        acts = [found[seq] for seq in sorted(found, reverse=True) if seq >= lowest]
        if len(acts) > limit:
            acts = acts[:limit]
            following = acts[-1].event.seq
        return ActsPage(acts, following, partial=head is None or not unstored.complete)

    async def _unstored(self, room: Room, head: int, before: int, limit: int) -> _Unstored:
        """Read the log above what SQL has, up to its head."""
        try:
            found = await self._read_log(room, head + 1, before)
            # A later epoch, on another server, is known to SQL only. See `EpochCheck`.
            confirmed = await self._check.confirm()
            if found is None or found.epoch < self._fence.epoch(self._keys.number_of(room.key)):
                return _NOTHING
            return (await self._with_senders(found.events, limit))._replace(complete=confirmed)
        except ChatError:
            return _NOTHING

    async def _read_log(self, room: Room, lowest: int, before: int) -> _Read | None:
        """Read the events of moderation from a seq on; None if not all of them can be read."""
        found: list[Event] = []
        for _ in range(MAX_LOG_READS):
            part = await self._part(room, lowest)
            if part is None or part.room_id != room.id:
                return None
            found += [event for event in part.events if _is_act(event, before)]
            if len(part.events) < READ_EVENTS:
                return _Read(part.epoch, found)
            lowest = part.events[-1].seq + 1
        return None

    async def _part(self, room: Room, lowest: int) -> LogPart | None:
        part = await self._logs.read_log(room.key, lowest=lowest, limit=READ_EVENTS)
        if part is None and await self._directory.room(room.key):  # which brings it back from SQL
            part = await self._logs.read_log(room.key, lowest=lowest, limit=READ_EVENTS)
        return part

    async def _with_senders(self, found: list[Event], limit: int) -> _Unstored:
        """Add the senders of deleted messages, until there is enough for a page."""
        acts: list[StoredAct] = []
        lookups = 0
        for event in reversed(found):
            if lookups == MAX_LOOKUPS:
                return _Unstored(acts, event.seq + 1, complete=True)
            sender = None
            if isinstance(event.body, MessageDeleted):
                lookups += 1
                sender = await self._directory.messages.sender(event.body.message_id)
            if not _is_own(act := StoredAct(event, sender)):
                acts.append(act)
            if len(acts) > limit:
                break
        return _Unstored(acts, None, complete=True)


def _is_act(event: Event, before: int) -> bool:
    return event.seq < before and not isinstance(event.body, MessagePosted)


def _is_own(act: StoredAct) -> bool:
    """Return True for the deletion of a message by its sender."""
    body = act.event.body
    return isinstance(body, MessageDeleted) and act.sender in (None, body.by)
