"""Events as lines for a person. What others wrote cannot drive the terminal."""

import unicodedata
from datetime import datetime
from typing import Final
from zlib import crc32

from gateway.client.events import (
    CaughtUp,
    Connected,
    Disconnected,
    Event,
    HistoryCleared,
    Message,
    Notification,
    RoomLost,
    ServerError,
    TypingEvent,
)

# Of the 256 colours, those that can be read on black and on white.
NAME_COLOURS: Final = (33, 34, 35, 37, 64, 69, 98, 99, 130, 133, 135, 136, 161, 162, 166, 168, 172)
DIM, RED, RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"

JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, and part of how some scripts and emoji are written."""


def escape(text: str) -> str:
    """Make everything invisible visible: control characters, marks that turn the writing around."""
    return "".join(
        char if char.isprintable() or _is_harmless(char) else char.encode("unicode_escape").decode()
        for char in text
    )


def _is_harmless(char: str) -> bool:
    return char in JOINERS or unicodedata.category(char) == "Zs"


class Screen:
    """Writes events as lines.

    Attributes:
        rooms: how many rooms the reader is in; with several, each line names its room.
    """

    def __init__(self, own_name: str, *, colours: bool) -> None:
        self.rooms = 1
        self._own_name = own_name
        self._colours = colours
        self._typing: set[tuple[str, str]] = set()

    def line(self, event: Event) -> str | None:
        """An event as a line, or several; None for what needs none."""
        match event:
            case Message():
                self._typing.discard((event.room, event.sender))
                return self.message(event)
            case Notification(content=content, room=room):
                return self.status(f"{self._place(room)}{escape(content)}")
            case TypingEvent(room=str(room), username=username):
                return self._typed(room, username)
            case HistoryCleared():
                return None  # a notification says it
            case ServerError(message=message):
                return self.error(message)
            case _:
                return self._connection(event)

    def message(self, message: Message) -> str:
        """A message, with the time here; its further lines are set in."""
        at = message.created_at or datetime.now().astimezone()
        clock = self._paint(DIM, f"{at.astimezone():%H:%M}")
        if message.deleted:
            return f"{clock} {self._place(message.room)}{self._paint(DIM, '(deleted)')}"
        first, *further = message.content.splitlines() or [""]
        head = f"{clock} {self._place(message.room)}{self.name(message.sender)}: {escape(first)}"
        return "\n".join([head, *(f"      | {escape(line)}" for line in further)])

    def name(self, name: str) -> str:
        """A name in its colour: the same one everywhere."""
        colour = NAME_COLOURS[crc32(name.encode()) % len(NAME_COLOURS)]
        return self._paint(f"\x1b[1;38;5;{colour}m", escape(name))

    def status(self, text: str) -> str:
        """A line of ours."""
        return self._paint(DIM, f"-- {text}")

    def error(self, text: str) -> str:
        """Something did not work."""
        return self._paint(RED, f"!! {escape(text)}")

    def _connection(self, event: Event) -> str | None:
        match event:
            case Connected(url=url, again=again):
                return self.status(f"{'connected again' if again else 'connected'}: {escape(url)}")
            case Disconnected(reason=reason, final=final):
                what = "the server ended it" if final else "reconnecting..."
                return self.status(f"{escape(reason)}, {what}")
            case CaughtUp(room=room, count=count):
                messages = "1 message" if count == 1 else f"{count} messages"
                return self.status(f"{self._place(room)}caught up {messages}")
            case RoomLost(room=room, message=message):
                return self.error(f"{room}: {message}")
            case _:
                return None

    def _typed(self, room: str, username: str | None) -> str | None:
        """Said once, when somebody begins."""
        if username is None:
            self._typing = {who for who in self._typing if who[0] != room}
            return None
        if (room, username) in self._typing:
            return None
        self._typing.add((room, username))
        return self.status(f"{self._place(room)}{escape(username)} is typing...")

    def _place(self, room: str | None) -> str:
        return f"[{escape(room)}] " if room is not None and self.rooms > 1 else ""

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{RESET}" if self._colours else text
