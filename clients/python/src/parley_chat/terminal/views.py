"""Output of the chat: lines for a person, or JSON for a script."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TextIO

import msgspec

from parley_chat.errors import ChatError
from parley_chat.events.answers import (
    ActPage,
    ChatHistoryPage,
    HistoryPage,
    JoinedRoom,
    MemberResult,
    RoomInfo,
)
from parley_chat.events.kinds import ChatInfo, Event, Message, NewMessage
from parley_chat.terminal.actions import OpenedChat
from parley_chat.terminal.commands import HELP, Command, InvalidCommand
from parley_chat.terminal.screen import Screen, escape

ROOM_HISTORY_MESSAGES: Final = 20
"""Messages shown when a room is joined."""

EMPTY: Final[Mapping[str, str]] = {"rooms": "no rooms", "chats": "no direct chats"}
"""Text for an empty list, by command."""


class View(Protocol):
    """Output of a chat."""

    def event(self, event: Event, places: int) -> None:
        """Show an event; `places` is the number of open rooms and chats."""
        ...

    def answer(self, command: Command, answer: object) -> None:
        """Show the answer to a command."""
        ...

    def failure(self, command: Command | None, error: Exception) -> None:
        """Show the error of a command, or of a line that is not one."""
        ...


class Writer(Protocol):
    """Destination of lines."""

    def write(self, line: str) -> None:
        """Write a line."""
        ...


class StreamWriter:
    """Writer to a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def write(self, line: str) -> None:
        """Write a line."""
        self._stream.write(f"{line}\n")
        self._stream.flush()


class TextView:
    """Lines for a person."""

    def __init__(self, screen: Screen, writer: Writer) -> None:
        self._screen = screen
        self._write = writer.write

    def event(self, event: Event, places: int) -> None:
        """Show an event that is worth a line."""
        self._screen.places = places
        if (line := self._screen.line(event)) is not None:
            self._write(line)

    def answer(self, command: Command, answer: object) -> None:
        """Show the answer to a command."""
        match answer:
            case JoinedRoom(room=room, history=history):
                self._page(history[-ROOM_HISTORY_MESSAGES:])
                self._write(self._screen.status(f"you are in {escape(room)}"))
            case OpenedChat(chat=chat, history=history):
                partner = self._screen.meet(chat)
                self._page(history)
                self._write(self._screen.status(f"you write to {escape(str(partner))}"))
            case HistoryPage(items=items) | ChatHistoryPage(items=items):
                self._page(items)
            case ActPage():
                self._acts(answer)
            case MemberResult(known=False):
                self._write(self._screen.status(_unknown(command)))
            case list():
                self._list(answer, EMPTY.get(command.command, "nobody"))
            case _ if command.command == "help":
                self._write(HELP)

    def failure(self, command: Command | None, error: Exception) -> None:
        """Show an error, with the text of a message that was not sent, so that it is not lost."""
        said = error_text(error)
        if command is not None and command.command == "say":
            said = f"not sent: {command.content!r}: {said}"
        self._write(self._screen.error(said))

    def _page(self, messages: Sequence[Message | NewMessage]) -> None:
        for message in messages:
            self._write(self._screen.message(message))

    def _acts(self, page: ActPage) -> None:
        """Show what was done in a room, the newest last, as messages are shown."""
        for act in reversed(page.items):
            self._write(self._screen.act(act))
        if not page.items:
            self._write(self._screen.status("nothing yet"))
        if page.partial:
            missing = "some may be missing: a part of the server is not available"
            self._write(self._screen.status(missing))

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
    """JSON for a script: one object a line, of the kind that `event` names."""

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
        """Write the error of a command."""
        about: dict[str, object] = {}
        if command is not None:
            about = {"command": command.command, "id": command.id}
        elif isinstance(error, InvalidCommand) and error.id is not None:
            about = {"id": error.id}
        coded = _coded(error)
        self._write({"event": "failure", **about, **coded})

    def _write(self, value: object) -> None:
        self._writer.write(msgspec.json.encode(value).decode())


def _unknown(command: Command) -> str:
    """Return what there is to say of an action on a user whom the server has never seen."""
    left = "; the ban holds if they come" if command.command == "ban" else ""
    return f"nobody named {escape(str(command.user))} was ever seen here{left}"


def error_text(error: Exception) -> str:
    """Return the text of an error for a person."""
    return str(error) or type(error).__name__


def _coded(error: Exception) -> dict[str, str | bool | int]:
    if not isinstance(error, ChatError):
        return {"message": error_text(error)}
    told: dict[str, str | bool | int] = {
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
    }
    if error.retry_after is not None:
        told["retryAfterMs"] = error.retry_after
    if error.reason is not None:
        told["reason"] = error.reason
    return told
