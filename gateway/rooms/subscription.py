"""A client's subscription to a room or a direct chat: what it has of it, and what waits for it."""

from typing import NamedTuple, Self

from shared.model.events import CursorMoved, Event
from shared.model.log_events import RoomDeleted


class DeliveredRange(NamedTuple):
    """What a client that was live got by itself: seqs above `after`, up to `to`."""

    after: int = 0
    to: int = 0


class Subscription:
    """A client in a room, or one that hears of a chat.

    Attributes:
        waiting: events that wait while what was before them is on the way; None once it is live.
        seen: the last seq that the client has in another way, from a page of history or a replay.
            What the channel or the log bring of it later, because they were behind, is no news.
        cursors: how far a resume said that others have seen; the same holds for these.
        since: the room's head when the client was let in. A kick above it ends the subscription.
    """

    __slots__ = ("caught_up_to", "cursors", "since", "waiting")

    def __init__(self, since: int = 0, seen: int = 0) -> None:
        self.waiting: list[Event] | None = []
        self.caught_up_to = seen
        self.cursors: dict[str, int] = {}
        self.since = since

    @classmethod
    def live(cls, seen: int) -> Self:
        """A subscription that gets everything above `seen` at once."""
        made = cls(seen=seen)
        made.waiting = None
        return made

    def deliver_or_defer(self, event: Event) -> bool:
        """Whether an event is for the client now. One that waits is kept, one that is old is not.

        The end of a chat waits for nothing: what waits in it would never be let go.
        """
        if self.waiting is None:
            return self.is_news(event)
        if isinstance(event.body, RoomDeleted):
            return True
        self.waiting.append(event)
        return False

    def is_news(self, event: Event) -> bool:
        """Whether an event is news to the client."""
        if event.seq:
            return event.seq > self.caught_up_to
        body = event.body
        return not isinstance(body, CursorMoved) or body.seq > self.cursors.get(body.user, 0)

    def forget_cursors(self) -> None:
        """Let go of what is known of cursors: it may be lost with the epoch it is of."""
        self.cursors.clear()
        if self.waiting is not None:
            self.waiting = [e for e in self.waiting if not isinstance(e.body, CursorMoved)]
