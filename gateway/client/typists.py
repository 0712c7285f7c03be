"""Who is typing in each room, from signs that say who begins but not who ends."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from gateway.client.events import Event, Message, TypingEvent

OVER_AFTER: Final = 2.2
"""Seconds after the last sign at which the server says that it is over."""

FORGOTTEN_AFTER: Final = 3.0
"""Seconds after the last sign at which it is over even if the server said nothing."""

JITTER: Final = 0.3
"""Seconds by which a sign may have been late."""


class Typists:
    """Names by room."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin with nobody; `now` is a monotonic clock in seconds."""
        self._now = now
        self._signs: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, TypingEvent) and event.room is not None:
            signs = self._signs[event.room]
            if event.username is None:
                self._ended(signs)
            else:
                signs[event.username] = self._now()
        elif isinstance(event, Message):
            self._signs[event.room].pop(event.sender, None)

    def names(self, room: str) -> list[str]:
        """Who is typing in the room now, those who began first at the front."""
        since = self._now() - FORGOTTEN_AFTER
        signs = self._signs.get(room, {})
        for name in [name for name, at in signs.items() if at < since]:
            del signs[name]
        return list(signs)

    def forget(self) -> None:
        """The connection is lost: nobody is known to be typing."""
        self._signs.clear()

    def _ended(self, signs: dict[str, float]) -> None:
        """Somebody stopped: the only one, or those whose last sign is that old."""
        since = self._now() - (OVER_AFTER - JITTER)
        for name in [name for name, at in signs.items() if at < since or len(signs) == 1]:
            del signs[name]
