"""One room or chat as this client has seen it: each event once, in order, holes closed."""

from collections.abc import Collection, Sequence
from typing import Final

from parley_chat.events.entries import Entry
from parley_chat.events.kinds import (
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    NewMessage,
)

MOST_WAITING: Final = 1000
"""Live events kept during a catch-up; history has the others."""

MOST_KNOWN: Final = 1000
"""Messages remembered, so that a deletion that was missed can be told."""

Said = Message | NewMessage


class RoomLog:
    """What was shown of a room or a chat, and what cannot be yet. Without I/O.

    Attributes:
        last: the seq of the last event shown; None until the room was entered.
        settled: live events are shown as they come; otherwise they wait for a catch-up.
    """

    def __init__(self, room: str | None = None) -> None:
        """Begin with nothing; `room` is the name of a room, None for a chat."""
        self.last: int | None = None
        self.settled = False
        self._room = room
        self._waiting: dict[int, Entry] = {}
        self._highest = 0
        # Messages by id, the latest at the end, and whether they are known to be deleted.
        self._known: dict[int, bool] = {}

    @property
    def behind(self) -> bool:
        """Whether an event came that could not be shown yet."""
        return self._highest > (self.last or 0)

    @property
    def known(self) -> frozenset[int]:
        """The ids of the messages that are remembered."""
        return frozenset(self._known)

    def begin(self, head: int) -> None:
        """Enter the room; what is up to `head` was shown as history."""
        if self.last is None:
            self.last = head

    def unsettle(self) -> None:
        """Something may have been missed: live events wait from here on."""
        self.settled = False

    def live(self, entry: Entry) -> bool:
        """Take a live event, of whatever kind; return whether it is to be shown now.

        An event that was shown is dropped; one whose predecessor was not seen waits, and so does
        everything behind it.
        """
        at = entry.at
        if self.last is not None and at.seq <= self.last:
            return False
        if self.settled and self.last is not None and at.prev <= self.last:
            self.last = at.seq
            return self._is_news(entry.event)
        self.settled = False
        self._highest = max(self._highest, at.seq)
        if len(self._waiting) < MOST_WAITING:
            self._waiting[at.seq] = entry
        return False

    def remember(self, items: Sequence[Said]) -> None:
        """Take note of messages that were shown in another way."""
        for item in items:
            self._note(item.id, deleted=item.deleted)

    def knows(self, message_id: int) -> bool:
        """Whether a message is one of this log, as far as this client has seen it."""
        return message_id in self._known or any(
            isinstance(event, Said) and event.id == message_id
            for _, event in self._waiting.values()
        )

    def newly_deleted(self, items: Sequence[Said]) -> list[int]:
        """The messages shown before that a page of history has as deleted, each told once."""
        told_soon = {
            event.message_id
            for _, event in self._waiting.values()
            if isinstance(event, MessageDeleted)
        }
        gone = [
            item.id
            for item in items
            if item.deleted and self._known.get(item.id) is False and item.id not in told_soon
        ]
        for message_id in gone:
            self._known[message_id] = True
        return gone

    def newly_lost(self, items: Sequence[Said], known: Collection[int]) -> list[int]:
        """The messages shown before that history lacks: the server lost them. Each told once.

        Args:
            items: the newest of history, oldest first.
            known: what `known` was when history was asked for them.
        """
        there = {item.id for item in items}
        lost = [
            message_id
            for message_id in sorted(known)
            if (not items or message_id > items[0].id) and message_id not in there
            if self._known.get(message_id) is False
        ]
        for message_id in lost:
            self._known[message_id] = True
        return lost

    def has_gap(self, items: Sequence[Said], upto: int | None) -> bool:
        """Whether a page of history leaves a place out, where another event than a message was.

        Args:
            items: of the page, oldest first, beginning above `last`.
            upto: the room's head when the page reaches it, else None.
        """
        place = self.last or 0
        for item in items:
            if item.seq > place:
                if item.prev > place:
                    return True
                place = item.seq
        return upto is not None and upto > place

    def merge(self, items: Sequence[Said], upto: int | None, *, cleared: bool) -> list[Event]:
        """Take a page of history.

        Args:
            items: as for `has_gap`.
            upto: as for `has_gap`.
            cleared: whether a place left out means that everything before it was deleted.

        Returns:
            What is to be shown now, in order. What was deleted before it could be shown is not.
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

    def release(self, *, anyhow: bool = False) -> list[Event]:
        """Let go of what waited and now follows; `settled` once that is everything.

        Args:
            anyhow: show it all, even behind a hole that history cannot close.
        """
        shown: list[Event] = []
        for seq in sorted(self._waiting):
            (at, event), last = self._waiting[seq], self.last or 0
            if seq > last and at.prev > last and not anyhow:
                break
            del self._waiting[seq]
            if seq > last:
                self._append(seq, event, shown)
        if anyhow:
            self._highest = self.last or 0
        self.settled = not self.behind
        return shown

    def _bridge(self, place: int, shown: list[Event], cleared_since: int | None) -> None:
        """Go on to `place`: by the events that wait, and over what nobody has any more."""
        for seq in sorted(seq for seq in self._waiting if seq <= place):
            at, event = self._waiting.pop(seq)
            if seq > (self.last or 0):
                self._leap(at.prev, shown, cleared_since)
                self._append(seq, event, shown)
        self._leap(place, shown, cleared_since)

    def _leap(self, place: int, shown: list[Event], cleared_since: int | None) -> None:
        last = self.last or 0
        if place <= last:
            return
        if cleared_since == last and self._room is not None:
            cleared = HistoryCleared(room=self._room, seq=place, prev=last)
            if self._is_news(cleared):
                shown.append(cleared)
        self.last = place

    def _append(self, seq: int, event: Event, shown: list[Event]) -> None:
        self.last = seq
        if self._is_news(event):
            shown.append(event)

    def _is_news(self, event: Event) -> bool:
        """Take note of an event that takes its place; return whether it is to be shown."""
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
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
