"""A client's subscription to a room or a direct chat: its progress, and events that wait for it."""

from typing import NamedTuple, Self

from shared.model.events import CursorMoved, Event
from shared.model.log_events import RoomDeleted


class DeliveredRange(NamedTuple):
    """Events that a live client got over the channel already: seqs above `after`, up to `to`."""

    after: int = 0
    to: int = 0


class Subscription:
    """A client's membership of a room or chat that this gateway follows.

    Attributes:
        waiting: events that wait until earlier ones were sent; None once the client is live.
        caught_up_to: the last seq that the client got from a page of history or a replay.
        cursors: cursors that a resume sent, by user.
        typing_is_due: True if the client must be told who is typing once it is live.
        since: the room's head when the client was let in. A kick above it ends the subscription.
    """

    # `caught_up_to` and `cursors` exist because pub/sub can be behind what was read directly.
    # Example: a client resumes from 5. The replay reads 6 to 9 from the log and sends them. The
    # channel of this gateway is slow and brings 8 and 9 only now. Without `caught_up_to` = 9 the
    # client would get both twice. In the same way a cursor at 7 that the channel brings late
    # would move a mark back that the resume has sent as 9.

    __slots__ = ("caught_up_to", "cursors", "since", "typing_is_due", "waiting")

    def __init__(self, since: int = 0, caught_up_to: int = 0) -> None:
        self.waiting: list[Event] | None = []
        self.caught_up_to = caught_up_to
        self.cursors: dict[str, int] = {}
        self.since = since
        self.typing_is_due = False

    @classmethod
    def live(cls, caught_up_to: int) -> Self:
        """Make a subscription that gets all events above `caught_up_to` at once."""
        subscription = cls(caught_up_to=caught_up_to)
        subscription.waiting = None
        return subscription

    def deliver_or_defer(self, event: Event) -> bool:
        """Return True if an event is to be sent now.

        Events for a member that still waits are deferred; events that it already has are dropped.
        The deletion of a chat is sent at once: the hub unfollows the chat when it delivers this
        event, so nobody would release the deferred events any more.
        """
        if self.waiting is None:
            return self.is_news(event)
        if isinstance(event.body, RoomDeleted):
            return True
        self.waiting.append(event)
        return False

    def is_news(self, event: Event) -> bool:
        """Return True if the client does not have the event yet."""
        if event.seq:
            return event.seq > self.caught_up_to
        body = event.body
        return not isinstance(body, CursorMoved) or body.seq > self.cursors.get(body.user, 0)

    def forget_cursors(self) -> None:
        """Drop all knowledge of cursors, which may be lost with their epoch.

        Otherwise a cursor of the new epoch that is lower than a lost one would be dropped as old.
        """
        self.cursors.clear()
        if self.waiting is not None:
            self.waiting = [e for e in self.waiting if not isinstance(e.body, CursorMoved)]
