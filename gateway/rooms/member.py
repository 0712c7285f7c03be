"""A membership: what a connection that comes to a room, or resumes a chat, has of it already."""

from typing import Self

from shared.model.events import CursorMoved, Event


class Member:
    """A connection in a room, or in a chat that it resumed.

    Attributes:
        waiting: events that wait while its history is on the way; None once it is live.
        seen: the last seq that its history showed. What the channel or the log bring of it
            later, because they were behind, it has already.
        cursors: how far its resume said that others have seen; the same holds for these.
        since: the room's head when it was let in.
    """

    __slots__ = ("cursors", "seen", "since", "waiting")

    def __init__(self, since: int = 0) -> None:
        self.waiting: list[Event] | None = []
        self.seen = 0
        self.cursors: dict[str, int] = {}
        self.since = since

    @classmethod
    def live(cls, seen: int) -> Self:
        """One that gets everything above `seen` at once."""
        member = cls()
        member.waiting, member.seen = None, seen
        return member

    def takes(self, event: Event) -> bool:
        """Whether an event is news to it."""
        if event.seq:
            return event.seq > self.seen
        body = event.body
        return not isinstance(body, CursorMoved) or body.seq > self.cursors.get(body.user, 0)

    def forget_cursors(self) -> None:
        """Let go of what is known of cursors: it may be lost with the epoch it is of."""
        self.cursors.clear()
        if self.waiting is not None:
            self.waiting = [e for e in self.waiting if not isinstance(e.body, CursorMoved)]
