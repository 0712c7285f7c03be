"""Where a chat is shown: lines for a person, or JSON for a script."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TextIO

import msgspec

from parley_chat.errors import ChatError
from parley_chat.events.answers import ChatHistoryPage, HistoryPage, Joined, RoomInfo
from parley_chat.events.kinds import ChatInfo, Event, Message, NewMessage
from parley_chat.terminal.actions import Opened
from parley_chat.terminal.commands import HELP, Command
from parley_chat.terminal.screen import Screen, escape

SHOWN: Final = 20
"""Messages shown on entering a room."""

NOTHING: Final[Mapping[str, str]] = {"rooms": "no rooms", "chats": "no direct chats"}
"""What is said of an empty list."""


class View(Protocol):
    """Where it is shown."""

    def event(self, event: Event, places: int) -> None:
        """Something happened; the client is in that many rooms and chats."""
        ...

    def answer(self, command: Command, answer: object) -> None:
        """A command was done."""
        ...

    def failure(self, command: Command | None, error: Exception) -> None:
        """A command, or a line that is none, could not be done."""
        ...


class Writer(Protocol):
    """Writes lines, around the one that is being typed if there is one."""

    def write(self, line: str) -> None:
        """Write a line."""
        ...


class Plain:
    """Lines to a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def write(self, line: str) -> None:
        """Write a line."""
        self._stream.write(f"{line}\n")
        self._stream.flush()


class TextView:
    """For a person."""

    def __init__(self, screen: Screen, writer: Writer) -> None:
        self._screen = screen
        self._write = writer.write

    def event(self, event: Event, places: int) -> None:
        """Show an event that is worth a line."""
        self._screen.places = places
        if (line := self._screen.line(event)) is not None:
            self._write(line)

    def answer(self, command: Command, answer: object) -> None:
        """Show what was asked for."""
        match answer:
            case Joined(room=room, history=history):
                self._page(history[-SHOWN:])
                self._write(self._screen.status(f"you are in {escape(room)}"))
            case Opened(chat=chat, history=history):
                partner = self._screen.meet(chat)
                self._page(history)
                self._write(self._screen.status(f"you talk to {escape(str(partner))}"))
            case HistoryPage(items=items) | ChatHistoryPage(items=items):
                self._page(items)
            case list():
                self._list(answer, NOTHING.get(command.command, "nobody"))
            case _ if command.command == "help":
                self._write(HELP)

    def failure(self, command: Command | None, error: Exception) -> None:
        """Show why; a message that was not sent is shown too, so that it is not lost."""
        said = sentence(error)
        if command is not None and command.command == "say":
            said = f"not sent: {command.content!r}: {said}"
        self._write(self._screen.error(said))

    def _page(self, messages: Sequence[Message | NewMessage]) -> None:
        for message in messages:
            self._write(self._screen.message(message))

    def _list(self, answer: Sequence[object], nothing: str) -> None:
        for item in answer:
            if isinstance(item, RoomInfo):
                self._write(f"{escape(item.name)}{' (password)' if item.protected else ''}")
            elif isinstance(item, ChatInfo):
                self._write(self._screen.chat(item))
            else:
                self._write(escape(str(item)))
        if not answer:
            self._write(self._screen.status(nothing))


class JsonView:
    """For a script: an object a line, told apart by `event`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def event(self, event: Event, places: int) -> None:  # noqa: ARG002 - every view is told
        """Write an event."""
        self._write(event)

    def answer(self, command: Command, answer: object) -> None:
        """Write the answer to a command."""
        reply = {"event": "reply", "command": command.command, "id": command.id, "data": answer}
        self._write(reply)

    def failure(self, command: Command | None, error: Exception) -> None:
        """Write why a command failed."""
        about = {"command": command.command, "id": command.id} if command else {}
        coded = _coded(error)
        self._write({"event": "failure", **about, **coded})

    def _write(self, value: object) -> None:
        self._writer.write(msgspec.json.encode(value).decode())


def sentence(error: Exception) -> str:
    """What went wrong, for a person."""
    return str(error) or type(error).__name__


def _coded(error: Exception) -> dict[str, str | bool | int]:
    if not isinstance(error, ChatError):
        return {"message": sentence(error)}
    told: dict[str, str | bool | int] = {
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
    }
    if error.retry_after is not None:
        told["retryAfterMs"] = error.retry_after
    return told
