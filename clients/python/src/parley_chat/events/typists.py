"""Who is typing in each room and chat, from signs that say who begins but not who ends."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from parley_chat.events.kinds import Event, Message, NewMessage, TypingEvent

OVER_AFTER: Final = 2.2
"""Seconds after the last sign at which the server says that it is over."""

FORGOTTEN_AFTER: Final = 3.0
"""Seconds after the last sign at which it is over even if the server said nothing."""

JITTER: Final = 0.3
"""Seconds by which a sign may have been late."""


class Typists:
    """Names by room, and by the id of a chat."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin with nobody; `now` is a monotonic clock in seconds."""
        self._now = now
        self._signs: defaultdict[str | int, dict[str, float]] = defaultdict(dict)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        match event:
            case TypingEvent(room=room, chat_id=chat_id, username=username):
                place = chat_id if room is None else room
                if place is not None:
                    self._sign(self._signs[place], username)
            case Message(room=room, sender=sender):
                self._signs[room].pop(sender, None)
            case NewMessage(chat_id=chat_id, sender_id=sender):
                self._signs[chat_id].pop(str(sender), None)
            case _:
                pass

    def names(self, place: str | int | None) -> list[str]:
        """Who is typing in a room or a chat now, those who began first at the front."""
        since = self._now() - FORGOTTEN_AFTER
        signs = self._signs.get(place, {}) if place is not None else {}
        for name in [name for name, at in signs.items() if at < since]:
            del signs[name]
        return list(signs)

    def forget(self) -> None:
        """The connection is lost: nobody is known to be typing."""
        self._signs.clear()

    def _sign(self, signs: dict[str, float], username: str | None) -> None:
        if username is None:
            self._ended(signs)
        else:
            signs[username] = self._now()

    def _ended(self, signs: dict[str, float]) -> None:
        """Somebody stopped: the only one, or those whose last sign is that old."""
        since = self._now() - (OVER_AFTER - JITTER)
        for name in [name for name, at in signs.items() if at < since or len(signs) == 1]:
            del signs[name]
