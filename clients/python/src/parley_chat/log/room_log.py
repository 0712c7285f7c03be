"""The log of a room or chat as a client delivers it: each event once and in order."""

from collections.abc import Collection, Sequence
from typing import Final

from parley_chat.events.kinds import (
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    NewMessage,
)
from parley_chat.events.location import LocatedEvent

MAX_WAITING_EVENTS: Final = 1000
"""Live events that are kept during a catch-up; the history has the others."""

MAX_REMEMBERED_MESSAGES: Final = 1000
"""Messages that are remembered, so that missed deletions can be delivered."""

AnyMessage = Message | NewMessage


class RoomLog:
    """The events of a room or a chat that were delivered, and those that wait. Without I/O.

    An event is delivered if its `prev` is the last `seq` delivered. Example: 5 was delivered, and
    7 arrives with `prev` 6. Event 6 is missing, so 7 waits, and so do 8 and 9; they are released
    once the history has been read beyond 5. Without that, 7 would be delivered first, and 6 would
    be dropped as old when it came.

    Attributes:
        last: The `seq` of the last event delivered; None until the room was joined.
        room: Name of the room; None for a chat.
        settled: Whether live events are delivered as they arrive; else they wait for a catch-up.
    """

    def __init__(self, room: str | None = None) -> None:
        """Start empty; `room` is the name of a room, None for a chat."""
        self.last: int | None = None
        self.settled = False
        self.room = room
        self._waiting: dict[int, LocatedEvent] = {}
        self._highest = 0
        # Messages by id, the latest at the end, and whether they are known to be deleted.
        self._known: dict[int, bool] = {}

    @property
    def behind(self) -> bool:
        """True if an event arrived that could not be delivered yet."""
        return self._highest > (self.last or 0)

    @property
    def known(self) -> frozenset[int]:
        """Ids of the messages that are remembered."""
        return frozenset(self._known)

    def begin(self, head: int) -> None:
        """Start after `head`, up to which the application was given the history."""
        if self.last is None:
            self.last = head

    def unsettle(self) -> None:
        """Hold live events back from here on, since events may have been missed."""
        self.settled = False

    def live(self, entry: LocatedEvent) -> bool:
        """Take a live event of any kind; return whether to deliver it now.

        An event that was delivered before is dropped. One whose `prev` was not delivered waits,
        and so do all events after it.
        """
        at = entry.at
        if self.last is not None and at.seq <= self.last:
            return False
        if self.settled and self.last is not None and at.prev <= self.last:
            self.last = at.seq
            return self._is_new(entry.event)
        self.settled = False
        self._highest = max(self._highest, at.seq)
        if len(self._waiting) < MAX_WAITING_EVENTS:
            self._waiting[at.seq] = entry
        return False

    def remember(self, items: Sequence[AnyMessage]) -> None:
        """Remember messages that the application was given in another way."""
        for item in items:
            self._note(item.id, deleted=item.deleted)

    def knows(self, message_id: int) -> bool:
        """Return whether a message of this log was seen."""
        return message_id in self._known or any(
            isinstance(event, AnyMessage) and event.id == message_id
            for _, event in self._waiting.values()
        )

    def newly_deleted(self, items: Sequence[AnyMessage]) -> list[int]:
        """Return the messages delivered before that a page has as deleted, each only once."""
        waiting_deletions = {
            event.message_id
            for _, event in self._waiting.values()
            if isinstance(event, MessageDeleted)
        }
        gone = [
            item.id
            for item in items
            if item.deleted
            and self._known.get(item.id) is False
            and item.id not in waiting_deletions
        ]
        for message_id in gone:
            self._known[message_id] = True
        return gone

    def newly_lost(self, items: Sequence[AnyMessage], known: Collection[int]) -> list[int]:
        """Return the messages delivered before that the server lost, each only once.

        Args:
            items: The newest messages of the history, oldest first.
            known: Value of `known` when they were requested.
        """
        since = items[0].id if items else 0
        return self._not_there(items, [each for each in known if each > since])

    def newly_absent(
        self, items: Sequence[AnyMessage], known: Collection[int], *, is_first_page: bool
    ) -> list[int]:
        """Return the messages delivered before that a page leaves out, each only once.

        Args:
            items: Messages of a page that ends where the deliveries ended, oldest first.
            known: Value of `known` when they were requested.
            is_first_page: Whether the page has the first messages of the history.
        """
        if not items:
            return []
        since, last = 0 if is_first_page else items[0].id, items[-1].id
        return self._not_there(items, [each for each in known if since < each < last])

    def _not_there(self, items: Sequence[AnyMessage], expected: Collection[int]) -> list[int]:
        """Return the messages not known as deleted that a page should have; note them as such."""
        there = {item.id for item in items}
        missing = [
            message_id
            for message_id in sorted(expected)
            if message_id not in there and self._known.get(message_id) is False
        ]
        for message_id in missing:
            self._known[message_id] = True
        return missing

    def has_gap(self, items: Sequence[AnyMessage], upto: int | None) -> bool:
        """Return whether a page of history skips a `seq`, which was no message or was cleared.

        Args:
            items: Messages of the page, oldest first, all after `last`.
            upto: Head of the room if the page reaches it, else None.
        """
        seq_reached = self.last or 0
        for item in items:
            if item.seq > seq_reached:
                if item.prev > seq_reached:
                    return True
                seq_reached = item.seq
        return upto is not None and upto > seq_reached

    def merge(self, items: Sequence[AnyMessage], upto: int | None, *, cleared: bool) -> list[Event]:
        """Take a page of history.

        Args:
            items: Messages of the page, as for `has_gap`.
            upto: Head of the room, as for `has_gap`.
            cleared: Whether a skipped `seq` means that all messages before it were deleted.

        Returns:
            Events to deliver now, in order, without messages that are deleted already.
        """
        shown: list[Event] = []
        # A clearing left nothing between `last` and itself.
        since = (self.last or 0) if cleared else None
        for item in items:
            if item.seq > (self.last or 0):
                self._bridge(item.prev, shown, since)
                self._append(item.seq, item, shown)
        if upto is not None:
            self._bridge(upto, shown, since)
        return shown

    def release(self, *, force: bool = False) -> list[Event]:
        """Return the waiting events that can be delivered now; `settled` if none is left.

        Args:
            force: Whether to deliver all, even after a gap that the history cannot close.
        """
        shown: list[Event] = []
        for seq in sorted(self._waiting):
            (at, event), last = self._waiting[seq], self.last or 0
            if seq > last and at.prev > last and not force:
                break
            del self._waiting[seq]
            if seq > last:
                self._append(seq, event, shown)
        if force:
            self._highest = self.last or 0
        self.settled = not self.behind
        return shown

    def _bridge(self, seq_reached: int, shown: list[Event], cleared_since: int | None) -> None:
        """Advance to `seq_reached`: with waiting events, and past those that no longer exist."""
        for seq in sorted(seq for seq in self._waiting if seq <= seq_reached):
            at, event = self._waiting.pop(seq)
            if seq > (self.last or 0):
                self._leap(at.prev, shown, cleared_since)
                self._append(seq, event, shown)
        self._leap(seq_reached, shown, cleared_since)

    def _leap(self, seq_reached: int, shown: list[Event], cleared_since: int | None) -> None:
        last = self.last or 0
        if seq_reached <= last:
            return
        if cleared_since == last and self.room is not None:
            cleared = HistoryCleared(room=self.room, seq=seq_reached, prev=last)
            if self._is_new(cleared):
                shown.append(cleared)
        self.last = seq_reached

    def _append(self, seq: int, event: Event, shown: list[Event]) -> None:
        self.last = seq
        if self._is_new(event):
            shown.append(event)

    def _is_new(self, event: Event) -> bool:
        """Remember an event that was reached; return whether to deliver it."""
        match event:
            case Message(id=message_id) | NewMessage(id=message_id):
                self._note(message_id, deleted=event.deleted)
                return not event.deleted
            case MessageDeleted(message_id=message_id):
                told = self._known.get(message_id, False)
                self._note(message_id, deleted=True)
                return not told
            case HistoryCleared():
                self._known = dict.fromkeys(self._known, True)
                return True
            case _:
                return True

    def _note(self, message_id: int, *, deleted: bool) -> None:
        self._known.pop(message_id, None)
        self._known[message_id] = deleted
        if len(self._known) > MAX_REMEMBERED_MESSAGES:
            del self._known[next(iter(self._known))]
