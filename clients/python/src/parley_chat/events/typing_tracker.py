"""Users who are typing, from notices that list them, or from an older server's."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from parley_chat.constants import TYPING_SECONDS
from parley_chat.events.kinds import Event, Message, NewMessage, TypingEvent

MAX_NOTICE_AGE_SECONDS: Final = 3.0
"""Age at which a notice counts no more, even if the server sent no end of it."""

MAX_DELAY_SECONDS: Final = 0.3
"""Longest delay of a notice on its way here."""


class TypingTracker:
    """Names of the users who are typing, by room name and chat id."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start without any; `now` returns a monotonic time in seconds."""
        self._now = now
        self._notices: defaultdict[str | int, dict[str, float]] = defaultdict(dict)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        match event:
            case TypingEvent(room=room, chat_id=chat_id):
                place = chat_id if room is None else room
                if place is not None:
                    self._take_notice(self._notices[place], event)
            case Message(room=room, sender=sender):
                self._notices[room].pop(sender, None)
            case NewMessage(chat_id=chat_id, sender_id=sender):
                self._notices[chat_id].pop(str(sender), None)
            case _:
                pass

    def names(self, place: str | int | None) -> list[str]:
        """Return who is typing in a room or a chat now, in the order in which they began."""
        since = self._now() - MAX_NOTICE_AGE_SECONDS
        notices = self._notices.get(place, {}) if place is not None else {}
        for name in [name for name, at in notices.items() if at < since]:
            del notices[name]
        return list(notices)

    def forget(self) -> None:
        """Forget all notices, since the connection is lost."""
        self._notices.clear()

    def _take_notice(self, notices: dict[str, float], event: TypingEvent) -> None:
        if event.users is not None:
            users = list(map(str, event.users))
            for name in notices.keys() - set(users):
                del notices[name]
            notices.update(dict.fromkeys(users, self._now()))
        elif event.username is None:
            self._remove_stopped(notices)
        else:
            notices[event.username] = self._now()

    def _remove_stopped(self, notices: dict[str, float]) -> None:
        """Remove who stopped: the only user who types, or those with an old last notice.

        A server that sends no `users` does not say who it is.
        """
        since = self._now() - (TYPING_SECONDS - MAX_DELAY_SECONDS)
        for name in [name for name, at in notices.items() if at < since or len(notices) == 1]:
            del notices[name]
