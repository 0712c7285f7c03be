"""Commands, and the lines of text or JSON that stand for them."""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from parley_chat.constants import MAX_ID_DIGITS, MAX_INTEGER
from parley_chat.events.kinds import UserId

HELP: Final = """\
/join ROOM [PASSWORD]    join a room; what you type goes there from now on
/create ROOM [PASSWORD]  create a room and join it
/leave [ROOM]            leave the room
/rooms                   list the rooms
/dm USER                 open the direct chat with a user; what you type goes there
/say USER TEXT           send a message to a user, and stay where you are
/chats                   list your direct chats, with unread messages
/online                  go online, and list who else is online
/seen                    mark the messages shown here as seen
/history [N]             show the newest N messages (20)
/delete                  delete your last message here
/clear                   delete all messages of the room, for everyone
/kick USER               remove a user from the room
/ban USER                remove a user from the room, who cannot join again
/unban USER              take a ban back
/moderator USER [off]    let a user kick, ban and delete messages here, or stop that
/banned                  list who is banned from the room
/moderators              list the moderators of the room
/log [N]                 list who did what in the room, the last N entries (20)
/password [PASSWORD]     change the password of the room, or remove it
/who                     list who is typing
/help                    show this list
/quit                    quit
Any other line is a message; //word sends /word. Quote names that have "a space"."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command.

    Attributes:
        room: Room it is about. Without `room` and `user` it is about the present room or chat.
        user: User whose direct chat it is about, or who is kicked, banned or made a moderator.
        on: Whether the user becomes a moderator or stops being one.
        limit: Number of messages of `history`, or of entries of `log`.
        before: Entries of `log` before these: the `next` of its last answer.
        id: Id of a script's choice, which comes back with the answer.
    """

    command: Literal[
        "say",
        "join",
        "create",
        "leave",
        "rooms",
        "dm",
        "chats",
        "online",
        "seen",
        "history",
        "delete",
        "clear",
        "kick",
        "ban",
        "unban",
        "moderator",
        "banned",
        "moderators",
        "log",
        "password",
        "who",
        "typing",
        "help",
        "quit",
    ]
    room: str | None = None
    user: UserId | None = None
    content: str = ""
    password: str | None = None
    on: bool = True
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20
    before: int | None = None
    id: int | str | None = None


class InvalidCommand(ValueError):
    """A line that is not a command; the text is one sentence for a person.

    Attributes:
        id: The id that a script gave it, if it could be read.
    """

    def __init__(self, message: str, command_id: object = None) -> None:
        super().__init__(message)
        self.id = command_id


def user_id(text: str) -> UserId:
    """Return a user id as it is typed: a decimal integer is an integer."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
    return int(text) if is_number and str(min(int(text), MAX_INTEGER)) == text else text


def _room_and_password(name: str, words: list[str]) -> dict[str, object]:
    if not 1 <= len(words) <= 2:  # noqa: PLR2004 - a room and a password
        raise InvalidCommand(f"/{name} takes a room, and optionally a password")
    return {"room": words[0], "password": words[1] if words[1:] else None}


def _maybe_room(name: str, words: list[str]) -> dict[str, object]:
    if len(words) > 1:
        raise InvalidCommand(f"/{name} takes at most one room")
    return {"room": words[0]} if words else {}


def _user(name: str, words: list[str]) -> dict[str, object]:
    if len(words) != 1:
        raise InvalidCommand(f"/{name} takes a user")
    return {"user": user_id(words[0])}


def _user_on_or_off(name: str, words: list[str]) -> dict[str, object]:
    if not 1 <= len(words) <= 2 or words[1:] not in ([], ["on"], ["off"]):  # noqa: PLR2004
        raise InvalidCommand(f"/{name} takes a user, and optionally off")
    return {"user": user_id(words[0]), "on": words[1:] != ["off"]}


def _maybe_password(name: str, words: list[str]) -> dict[str, object]:
    if len(words) > 1:
        raise InvalidCommand(f"/{name} takes at most one password")
    return {"password": words[0] if words else None}


def _maybe_limit(name: str, words: list[str]) -> dict[str, object]:
    if not words:
        return {}
    if len(words) > 1 or not words[0].isascii() or not words[0].isdigit():
        raise InvalidCommand(f"/{name} takes a number")
    return {"limit": int(words[0])}


def _nothing(name: str, words: list[str]) -> dict[str, object]:
    if words:
        raise InvalidCommand(f"/{name} takes nothing else")
    return {}


_ARGUMENTS: Final[Mapping[str, Callable[[str, list[str]], dict[str, object]]]] = {
    "join": _room_and_password,
    "create": _room_and_password,
    "leave": _maybe_room,
    "rooms": _nothing,
    "dm": _user,
    "chats": _nothing,
    "online": _nothing,
    "seen": _nothing,
    "history": _maybe_limit,
    "delete": _nothing,
    "clear": _nothing,
    "kick": _user,
    "ban": _user,
    "unban": _user,
    "moderator": _user_on_or_off,
    "banned": _nothing,
    "moderators": _nothing,
    "log": _maybe_limit,
    "password": _maybe_password,
    "who": _nothing,
    "help": _nothing,
    "quit": _nothing,
}


def parse(line: str) -> Command | None:
    """Parse a line that a person typed; None for an empty one.

    Raises:
        InvalidCommand: it begins with a slash and is not a command.
    """
    line = line.strip()
    if not line:
        return None
    if not line.startswith("/") or line.startswith("//"):
        return Command(command="say", content=line.removeprefix("/"))
    name, _, rest = line[1:].partition(" ")
    if name == "say":
        return _say_to(rest)
    if name not in _ARGUMENTS:
        raise InvalidCommand(f"there is no command /{name}; /help lists them")
    return _convert({"command": name, **_ARGUMENTS[name](name, _words(rest))})


def parse_json(line: str) -> Command | None:
    """Parse a line of a script: a JSON object, or a line as a person types it.

    Raises:
        InvalidCommand: it is neither.
    """
    if not line.lstrip().startswith("{"):
        return parse(line)
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidCommand(f"not readable as JSON: {error}") from None
    try:
        return _convert(fields)
    except InvalidCommand as error:
        raise InvalidCommand(str(error), fields.get("id")) from None


def _say_to(rest: str) -> Command:
    """Parse user and text of /say; only the user may be quoted, and the text stays as it is."""
    rest = rest.strip()
    quote = rest[:1]
    if quote in {'"', "'"} and quote in rest[1:]:
        user, _, text = rest[1:].partition(quote)
    else:
        user, _, text = rest.partition(" ")
    if not user or not text.strip():
        raise InvalidCommand("/say takes a user and a text")
    return Command(command="say", user=user_id(user), content=text.strip())


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidCommand(f"not readable: {error}") from None


def _convert(fields: object) -> Command:
    try:
        return msgspec.convert(fields, Command)
    except msgspec.ValidationError as error:
        raise InvalidCommand(f"not a command: {error}") from None
