"""Lines that were typed, or written by a script, as commands."""

import shlex
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from parley_chat.constants import MAX_USER_ID_DIGITS
from parley_chat.events.kinds import UserId

HELP: Final = """\
/join ROOM [PASSWORD]    enter a room, and talk there from now on
/create ROOM [PASSWORD]  make a room and enter it
/leave [ROOM]            leave the room
/rooms                   list the rooms
/dm USER                 open the direct chat with a user, and talk there from now on
/say USER TEXT           say something to a user, and stay where you are
/chats                   list your direct chats, with what is unread
/online                  be seen online, and list who else is
/seen                    have seen what is shown here; the others get a tick
/history [N]             show the newest N messages (20)
/delete                  delete your last message here
/clear                   delete everything said in the room, for everyone
/kick USER               put a user out of the room
/ban USER                put a user out of the room for good
/unban USER              let them in again
/moderator USER [off]    let a user kick, ban and delete here, or no more
/password [PASSWORD]     give the room another password, or none
/who                     who is typing
/help                    this list
/quit                    leave
Everything else is said where you are; //word says /word. Quote names that have "a space"."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do.

    Attributes:
        room: where; or else
        user: whose direct chat, neither for the present place; or whom a room is rid of.
        on: a moderator from now on, or none any more.
        id: of a script's choice, given back with the answer.
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
    id: int | str | None = None


class NotUnderstood(ValueError):
    """A line is no command; the text is one sentence for a person."""


def user_id(text: str) -> UserId:
    """A user's id as it is typed: a decimal integer is one."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_USER_ID_DIGITS
    return int(text) if is_number and str(int(text)) == text else text


def _room_and_password(name: str, words: list[str]) -> dict[str, object]:
    if not 1 <= len(words) <= 2:  # noqa: PLR2004 - a room and a password
        raise NotUnderstood(f"/{name} takes a room and perhaps a password")
    return {"room": words[0], "password": words[1] if words[1:] else None}


def _maybe_room(name: str, words: list[str]) -> dict[str, object]:
    if len(words) > 1:
        raise NotUnderstood(f"/{name} takes one room at the most")
    return {"room": words[0]} if words else {}


def _user(name: str, words: list[str]) -> dict[str, object]:
    if len(words) != 1:
        raise NotUnderstood(f"/{name} takes a user")
    return {"user": user_id(words[0])}


def _user_on_or_off(name: str, words: list[str]) -> dict[str, object]:
    if not 1 <= len(words) <= 2 or words[1:] not in ([], ["on"], ["off"]):  # noqa: PLR2004
        raise NotUnderstood(f"/{name} takes a user, and perhaps off")
    return {"user": user_id(words[0]), "on": words[1:] != ["off"]}


def _maybe_password(name: str, words: list[str]) -> dict[str, object]:
    if len(words) > 1:
        raise NotUnderstood(f"/{name} takes one password at the most")
    return {"password": words[0] if words else None}


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
    "password": _maybe_password,
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
    if name == "say":
        return _say_to(rest)
    if name not in _ARGUMENTS:
        raise NotUnderstood(f"there is no command /{name}; /help lists them")
    return _convert({"command": name, **_ARGUMENTS[name](name, _words(rest))})


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


def _say_to(rest: str) -> Command:
    """Only the user is a word that may be quoted; the text is taken as it stands."""
    rest = rest.strip()
    quote = rest[:1]
    if quote in {'"', "'"} and quote in rest[1:]:
        user, _, text = rest[1:].partition(quote)
    else:
        user, _, text = rest.partition(" ")
    if not user or not text.strip():
        raise NotUnderstood("/say takes a user and a text")
    return Command(command="say", user=user_id(user), content=text.strip())


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise NotUnderstood(f"not readable: {error}") from None


def _convert(fields: object) -> Command:
    try:
        return msgspec.convert(fields, Command)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"not a command: {error}") from None
