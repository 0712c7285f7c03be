"""Lines that were typed, or written by a script, as commands."""

import shlex
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

HELP: Final = """\
/join ROOM [PASSWORD]    enter a room, and talk there from now on
/create ROOM [PASSWORD]  make a room and enter it
/leave [ROOM]            leave the room
/rooms                   list the rooms
/history [N]             show the newest N messages (20)
/clear                   delete everything said in the room, for everyone
/who                     who is typing
/help                    this list
/quit                    leave
Everything else is said in the room; //word says /word. Quote names that have "a space"."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do.

    Attributes:
        room: None for the present one.
        id: of a script's choice, given back with the answer.
    """

    command: Literal[
        "say",
        "join",
        "create",
        "leave",
        "rooms",
        "history",
        "clear",
        "who",
        "typing",
        "help",
        "quit",
    ]
    room: str | None = None
    content: str = ""
    password: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20
    id: int | str | None = None


class NotUnderstood(ValueError):
    """A line is no command; the text is one sentence for a person."""


def _room_and_password(name: str, words: list[str]) -> dict[str, object]:
    if not 1 <= len(words) <= 2:  # noqa: PLR2004 - a room and a password
        raise NotUnderstood(f"/{name} takes a room and perhaps a password")
    return {"room": words[0], "password": words[1] if words[1:] else None}


def _maybe_room(name: str, words: list[str]) -> dict[str, object]:
    if len(words) > 1:
        raise NotUnderstood(f"/{name} takes one room at the most")
    return {"room": words[0]} if words else {}


def _maybe_limit(name: str, words: list[str]) -> dict[str, object]:
    if not words:
        return {}
    if len(words) > 1 or not words[0].isascii() or not words[0].isdigit():
        raise NotUnderstood(f"/{name} takes a number of messages")
    return {"limit": int(words[0])}


def _nothing(name: str, words: list[str]) -> dict[str, object]:
    if words:
        raise NotUnderstood(f"/{name} stands alone")
    return {}


_ARGUMENTS: Final[Mapping[str, Callable[[str, list[str]], dict[str, object]]]] = {
    "join": _room_and_password,
    "create": _room_and_password,
    "leave": _maybe_room,
    "rooms": _nothing,
    "history": _maybe_limit,
    "clear": _nothing,
    "who": _nothing,
    "help": _nothing,
    "quit": _nothing,
}


def parse(line: str) -> Command | None:
    """Read a line that a person typed; None for an empty one.

    Raises:
        NotUnderstood: it begins with a slash and is no command.
    """
    line = line.strip()
    if not line:
        return None
    if not line.startswith("/") or line.startswith("//"):
        return Command(command="say", content=line.removeprefix("/"))
    name, _, rest = line[1:].partition(" ")
    if name not in _ARGUMENTS:
        raise NotUnderstood(f"there is no command /{name}; /help lists them")
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise NotUnderstood(f"not readable: {error}") from None
    return _convert({"command": name, **_ARGUMENTS[name](name, words)})


def parse_json(line: str) -> Command | None:
    """Read a line of a script: an object of JSON, or what a person would type.

    Raises:
        NotUnderstood: it is neither.
    """
    if not line.lstrip().startswith("{"):
        return parse(line)
    try:
        return _convert(msgspec.json.decode(line))
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood(f"not readable as JSON: {error}") from None


def _convert(fields: object) -> Command:
    try:
        return msgspec.convert(fields, Command)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"not a command: {error}") from None
