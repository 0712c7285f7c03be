"""One room as this client has seen it: each event once, in order, holes noticed and closed."""

from collections.abc import Sequence
from typing import Final

from gateway.client.events import HistoryCleared, Message, Placed

MOST_WAITING: Final = 1000
"""Live events kept during a catch-up; history has the others."""


class RoomLog:
    """What was shown of a room, and what cannot be yet. Without I/O.

    Attributes:
        last: the seq of the last event shown; None until the room was entered.
        settled: live events are shown as they come; otherwise they wait for a catch-up.
    """

    def __init__(self, room: str) -> None:
        self.last: int | None = None
        self.settled = False
        self._room = room
        self._waiting: dict[int, Placed] = {}
        self._highest = 0

    @property
    def behind(self) -> bool:
        """Whether an event came that could not be shown yet."""
        return self._highest > (self.last or 0)

    def begin(self, head: int) -> None:
        """Enter the room; what is up to `head` was shown as history."""
        if self.last is None:
            self.last = head

    def unsettle(self) -> None:
        """Something may have been missed: live events wait from here on."""
        self.settled = False

    def live(self, event: Placed) -> bool:
        """Take a live event; return whether it is to be shown now.

        An event that was shown is dropped; one whose predecessor was not seen waits, and so does
        everything behind it.
        """
        if self.last is not None and event.seq <= self.last:
            return False
        if self.settled and self.last is not None and event.prev <= self.last:
            self.last = event.seq
            return True
        self.settled = False
        self._highest = max(self._highest, event.seq)
        if len(self._waiting) < MOST_WAITING:
            self._waiting[event.seq] = event
        return False

    def has_gap(self, items: Sequence[Message], upto: int | None) -> bool:
        """Whether a page of history leaves a place out, where another event than a message was.

        Args:
            items: of the page, oldest first, beginning above `last`.
            upto: the room's head when the page reaches it, else None.
        """
        fresh = [item for item in items if item.seq > (self.last or 0)]
        place = fresh[0].prev if fresh else upto
        return place is not None and place > (self.last or 0)

    def merge(self, items: Sequence[Message], upto: int | None, *, cleared: bool) -> list[Placed]:
        """Take a page of history.

        Args:
            items: as for `has_gap`.
            upto: as for `has_gap`.
            cleared: whether a place left out means that everything before it was deleted.

        Returns:
            What is to be shown now, in order.
        """
        shown: list[Placed] = []
        for item in items:
            if item.seq > (self.last or 0):
                self._bridge(item.prev, shown, cleared=cleared)
                shown.append(item)
                self.last = item.seq
        if upto is not None:
            self._bridge(upto, shown, cleared=cleared)
        return shown

    def release(self, *, anyhow: bool = False) -> list[Placed]:
        """Let go of what waited and now follows; `settled` once that is everything.

        Args:
            anyhow: show it all, even behind a hole that history cannot close.
        """
        shown: list[Placed] = []
        for seq in sorted(self._waiting):
            event, last = self._waiting[seq], self.last or 0
            if seq > last and event.prev > last and not anyhow:
                break
            del self._waiting[seq]
            if seq > last:
                self.last = seq
                shown.append(event)
        if anyhow:
            self._highest = self.last or 0
        self.settled = not self.behind
        return shown

    def _bridge(self, place: int, shown: list[Placed], *, cleared: bool) -> None:
        """Go on to `place`: by the events that wait, and over what nobody has any more."""
        for seq in sorted(seq for seq in self._waiting if seq <= place):
            event = self._waiting.pop(seq)
            if seq > (self.last or 0):
                self._leap(event.prev, shown, cleared=cleared)
                shown.append(event)
                self.last = seq
        self._leap(place, shown, cleared=cleared)

    def _leap(self, place: int, shown: list[Placed], *, cleared: bool) -> None:
        last = self.last or 0
        if place <= last:
            return
        if cleared:
            shown.append(HistoryCleared(room=self._room, seq=place, prev=last))
        self.last = place
