"""The largest and worst values that the type of a command takes, made from the type itself.

A new action, or a new field, gets worst values of its own without anybody thinking of it.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from gateway.api.actions.action import Action
from shared.model.commands import Command
from shared.protocol.limits import (
    DEFAULT_CONTENT_CHARACTERS,
    MAX_CONTENT_BYTES_PER_CHARACTER,
    MAX_RESUMED_PLACES,
)
from tests.security.attacks.attack import USER

ROOM: Final = "a flooded room"
"""Exists, has pages of the longest messages, and lets everybody in."""
OWN_ROOM: Final = f"the room of {USER}"
"""Exists for each connection that has sent `opening`."""
PASSWORD: Final = "secret"

CHARACTERS: Final = (
    "\x01",  # six bytes of JSON, where one is sent to a reader
    "\N{GRINNING FACE}",  # twelve bytes of JSON, where it is escaped
    "\ufdfa",  # eighteen characters, where names are compared
    "\u0315\u0300\u05ae",  # marks that have to be put in order, where names are compared
    "\\",
)
MAX_FRAME_BYTES: Final = 60_000
"""Of the data of a frame: what is around it has to fit into 64 KiB, too."""
MAX_CONTENT_BYTES: Final = DEFAULT_CONTENT_CHARACTERS * MAX_CONTENT_BYTES_PER_CHARACTER
UNBOUNDED_CHARACTERS: Final = DEFAULT_CONTENT_CHARACTERS
"""Characters of a text whose type has no limit: those of the longest content."""
NAMES: Final = 24
"""Different values of each kind: a name that was looked up once may be remembered."""

NESTED: Final = "[" * 58 + "]" * 58
"""As deep as every decoder takes it."""


def longest_values(kind: type[Command]) -> Iterator[Any]:
    """Valid data of a command with unknown names: each field alone as large as it gets, then all.

    Args:
        kind: a type of command.
    """
    fields = msgspec.structs.fields(kind)
    for number in range(NAMES):
        worst = {each.encode_name: _value(inspect.type_info(each.type), number) for each in fields}
        required = {each.encode_name: worst[each.encode_name] for each in fields if each.required}
        optional = [each.encode_name for each in fields if not each.required]
        if required or not optional:
            yield required
        for name in optional:
            yield _fitting({**required, name: worst[name]})
        yield _fitting(worst)


def real_values(kind: type[Command]) -> Iterator[Any]:
    """Data of a command that means what there is: the attacker's own room, and a full one.

    Args:
        kind: a type of command.
    """
    fields = msgspec.structs.fields(kind)
    for number in range(NAMES):
        for room in (ROOM, OWN_ROOM):
            known = _known(room, number)
            found = {}
            for each in fields:
                if each.encode_name in known:
                    found[each.encode_name] = known[each.encode_name]
                elif each.required or each.encode_name == "limit":
                    found[each.encode_name] = _value(inspect.type_info(each.type), number)
            yield found


def wrong_values(kind: type[Command]) -> Iterator[Any]:
    """Data that no command is, or only after it was read twice, as large as a frame may be.

    Args:
        kind: a type of command.
    """
    names = [each.encode_name for each in msgspec.structs.fields(kind)] or ["x"]
    yield [0] * (MAX_FRAME_BYTES // 2 - 10)
    yield {f"unknown {n}": n for n in range(MAX_FRAME_BYTES // 24)}
    yield {name: [1.0] * (MAX_FRAME_BYTES // 4 // len(names) - 10) for name in names}
    # Floats and digits for integers: what a strict decoder refuses is read again.
    for name in names:
        yield {name: {f"{n:09}": float(n) for n in range(MAX_FRAME_BYTES // 24)}}
        yield {name: {str(n + 10**9): "7" for n in range(MAX_FRAME_BYTES // 24)}}
        yield {name: "\x01" * (MAX_FRAME_BYTES // 6 - 10)}
    yield {"x": [msgspec.json.decode(NESTED)] * (MAX_FRAME_BYTES // len(NESTED) - 2)}


def wrong_json(names: list[str]) -> Iterator[str]:
    """Text where the JSON of a command is to stand: no JSON, half of it, the largest numbers.

    Args:
        names: of the fields.
    """
    field = json.dumps(names[0])
    for start, repeated, size, end in (
        ("", "9", 1, ""),
        ("[", "-1.7976931348623157e308,", 24, "0]"),
        ('"', r"\ud83d\ude00", 12, '"'),
        ('"', r"\ud800", 6, '"'),
        ('"', "a", 1, ""),
        ("", "[", 1, ""),
        ("", "[{", 2, ""),
        ("[", r'"\ud800', 7, ""),
        ("[" * 30_000, r'"\ud800', 14, ""),
        ("[", r'{"":"\"\\",', 12, ""),
        ("[", f"{NESTED},", len(NESTED) + 1, "0]"),
    ):
        yield f"{{{field}:{start}{repeated * (MAX_FRAME_BYTES // size - 10)}{end}}}"


def longest_content(number: int) -> str:
    """The largest content of a message, of one of the worst characters."""
    letter = CHARACTERS[number % len(CHARACTERS)][0]
    size = len(msgspec.json.encode(letter)) - 2
    return letter * min(UNBOUNDED_CHARACTERS, MAX_CONTENT_BYTES // size)


def opening(action: Action) -> list[tuple[str, Any]]:
    """Events that a connection sends first, so that `real_values` mean something.

    Args:
        action: the one that is attacked.
    """
    # Passwords cost more than all else, so only those who are asked for them bring one.
    fields = {each.encode_name for each in msgspec.structs.fields(action.command)}
    shown = {"password": PASSWORD} if "password" in fields else {}
    events: list[tuple[str, Any]] = [
        ("createRoom", {"name": OWN_ROOM, **shown}),
        ("joinRoom", {"room": OWN_ROOM, **shown}),
        ("joinRoom", {"room": ROOM}),
    ]
    if "chatsList" in action.events:
        # Each makes a chat, and is the last message of it.
        for number in range(20):
            note = {"receiverId": number, "content": longest_content(0)}
            events.append(("sendMessage", {"senderId": USER, **note}))
    return events


def _known(room: str, number: int) -> dict[str, Any]:
    return {
        "room": room,
        "user": f"user {number}",
        "userId": USER,
        "username": USER,
        "sender": USER,
        "senderId": USER,
        "user1Id": USER,
        "name": f"{USER} {number}",
        "password": PASSWORD,
        "content": longest_content(number),
    }


def _fitting(data: dict[str, Any]) -> dict[str, Any]:
    """The data, with half of the entries of its collections for as often as it is too large."""
    while len(msgspec.json.encode(data)) > MAX_FRAME_BYTES:
        data = {name: _halved(value) for name, value in data.items()}
    return data


def _halved(value: Any) -> Any:  # noqa: ANN401 - any value
    if isinstance(value, dict):
        return dict(list(value.items())[: len(value) // 2])
    return value[: len(value) // 2] if isinstance(value, list | str) else value


def _value(kind: inspect.Type, number: int) -> Any:  # noqa: ANN401 - of any type
    """The largest value of a type; one of many such, by its number."""
    match kind:
        case inspect.Metadata():
            return _value(kind.type, number)
        case inspect.UnionType():
            told = [each for each in kind.types if not isinstance(each, _NOTHING)]
            texts = [each for each in told if isinstance(each, inspect.StrType)]
            return _value((texts or told)[0], number)
        case inspect.StructType():
            return {each.encode_name: _value(each.type, number) for each in kind.fields}
        case inspect.DictType():
            return {
                _key(kind.key_type, number, at): _value(kind.value_type, at)
                for at in range(MAX_RESUMED_PLACES)
            }
        case inspect.ListType() | inspect.SetType() | inspect.VarTupleType():
            return [_value(kind.item_type, at) for at in range(MAX_RESUMED_PLACES)]
        case _:
            return _scalar(kind, number)


def _scalar(kind: inspect.Type, number: int) -> str | float | bool | None:
    match kind:
        case inspect.StrType():
            return _text(kind, number)
        case inspect.IntType():
            return _integer(kind) - number
        case inspect.FloatType():
            return MAX_FLOAT
        case inspect.LiteralType():
            return str(kind.values[-1])
        case _:
            return True if isinstance(kind, inspect.BoolType) else None


MAX_FLOAT: Final = 1.7976931348623157e308
_NOTHING: Final = (inspect.NoneType, inspect.CustomType)


def _text(kind: inspect.StrType, number: int) -> str:
    if kind.pattern:  # such as a place in a list
        return ".".join(["9" * 15 + str(number % 10)] * 3)
    size = kind.max_length or UNBOUNDED_CHARACTERS
    tail = f"{number}"
    letters = CHARACTERS[number % len(CHARACTERS)]
    return (letters * math.ceil(size / len(letters)))[: size - len(tail)] + tail


def _integer(kind: inspect.IntType) -> int:
    if kind.le is not None:
        return int(kind.le)
    return int(kind.lt) - 1 if kind.lt is not None else 2**53 - 1


def _key(kind: inspect.Type, number: int, at: int) -> str:
    """A key that no other entry has, short enough for a thousand of them."""
    if isinstance(kind, inspect.IntType):
        return str(_integer(kind) - number * MAX_RESUMED_PLACES - at)
    return f"{number:02}{at:03}" + "\ufdfa" * 6
