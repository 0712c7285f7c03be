"""Attacks on every action of the table of events, through every wire."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import msgpack
import msgspec
from msgspec import inspect

from gateway.api.actions import EVENTS
from gateway.api.actions.action import Action
from shared.protocol.limits import MAX_PAGE_ITEMS
from tests.security.attacks.attack import Attack, Door
from tests.security.attacks.catalogue import values
from tests.security.raw import BINARY, TEXT, framed

PACKED: Final = 64
"""Small frames that are sent at once."""
SMALL_BYTES: Final = 4096
PIECES: Final = 48
"""Different pieces of one attack."""

UNMASKED: Final = bytes(4)
"""A mask that leaves names readable, so that attackers can put their own in."""

Encode = Callable[[str, Any], bytes]


def _json(event: str, data: Any) -> bytes:  # noqa: ANN401 - any value
    # Not escaped where it need not be: `wrong_json` has the escapes.
    return framed(TEXT, msgspec.json.encode({"event": event, "data": data, "id": 7}), key=UNMASKED)


def _msgpack(event: str, data: Any) -> bytes:  # noqa: ANN401 - any value
    return framed(BINARY, msgpack.packb({"event": event, "data": data, "id": 7}), key=UNMASKED)


def _packet(event: str, data: Any) -> bytes:  # noqa: ANN401 - any value
    return b"427" + msgspec.json.encode([event, data])


def _socketio(event: str, data: Any) -> bytes:  # noqa: ANN401 - any value
    return framed(TEXT, _packet(event, data), key=UNMASKED)


WIRES: Final[dict[Door, Encode]] = {
    "json": _json,
    "msgpack": _msgpack,
    "socket.io": _socketio,
    "polling": _packet,
}


SOCKETS: Final[tuple[Door, ...]] = ("json", "msgpack", "socket.io")


SILENT_READERS: Final = 25
SILENT_READERS_RATIO: Final = 15.0
"""What they are judged by is memory. A page of the longest messages takes some 20 ms of one turn to
be read and written, and 25 connections may ask for one each in the same moment."""


def attacks() -> Iterator[Attack]:
    """All attacks on actions."""
    for door in SOCKETS:
        yield _silent_readers(door)
    for number, (event, action) in enumerate(EVENTS.items()):
        chosen = SOCKETS[number % len(SOCKETS)]
        worst_kind = "longest" if _has_collections(action.command) else "real"
        for door in WIRES:
            for attack in _on(event, action, door):
                worst = door == chosen and attack.name.startswith(worst_kind)
                # What a decoder refuses does not depend much on the command: one for each.
                worst |= event == "resume" and attack.name.startswith("wrong")
                yield msgspec.structs.replace(attack, worst=worst)


def _silent_readers(door: Door) -> Attack:
    """Clients who ask for the longest pages and read none of them."""
    encode = WIRES[door]
    return Attack(
        name=f"silent readers of the longest pages, {door}",
        against="outbox",
        door=door,
        pieces=(encode("history", {"room": values.ROOM, "limit": MAX_PAGE_ITEMS}),),
        opening=(*_connect(door), encode("joinRoom", {"room": values.ROOM})),
        login=True,
        reads=False,
        connections=SILENT_READERS,
        max_ratio=SILENT_READERS_RATIO,
        worst=door == "json",
    )


def _on(event: str, action: Action, door: Door) -> Iterator[Attack]:
    """The attacks on one action through one wire."""
    kind = action.command
    encode = WIRES[door]
    begun = tuple(encode(name, data) for name, data in values.opening(action))

    def pieces(data: Iterable[Any]) -> tuple[bytes, ...]:
        return _packed(door, [encode(event, each) for each in islice(data, PIECES)])

    def attack(name: str, sent: tuple[bytes, ...], *, login: bool) -> Attack:
        before = _connect(door) if login else ()
        return Attack(
            name=f"{name}: {event}, {door}{'' if login else ', no login'}",
            against=event if login and name != "wrong" else door,
            door=door,
            pieces=sent,
            opening=(*before, *begun) if name == "real" else before,
            login=login,
        )

    longest, wrong = pieces(values.longest_values(kind)), _wrong(event, door, kind)
    yield attack("real", pieces(values.real_values(kind)), login=True)
    if door != "polling":
        yield attack("longest", longest, login=True)
        yield attack("wrong", wrong, login=True)
    if door == ("json", "msgpack", "socket.io", "polling")[len(event) % 4]:
        yield attack("worst", (*wrong, *longest[:4]), login=False)


def _has_collections(kind: type[msgspec.Struct]) -> bool:
    """True if the command names many things at a time."""
    types = [inspect.type_info(each.type) for each in msgspec.structs.fields(kind)]
    return any(isinstance(each, inspect.DictType | inspect.ListType) for each in types)


def _connect(door: Door) -> tuple[bytes, ...]:
    """The CONNECT of a client that has shown its token in its handshake."""
    return (framed(TEXT, b"40"),) if door == "socket.io" else ()


def _wrong(event: str, door: Door, kind: type[msgspec.Struct]) -> tuple[bytes, ...]:
    """What no command is, and what no frame is."""
    encode, names = WIRES[door], [each.encode_name for each in msgspec.structs.fields(kind)]
    found = [encode(event, data) for data in values.wrong_values(kind)]  # type: ignore[arg-type]
    if door == "msgpack":
        start = msgpack.packb(event)
        for data in _wrong_msgpack():
            text = b"\x83\xa5event" + start + b"\xa4data" + data
            found.append(framed(BINARY, text[: values.MAX_FRAME_BYTES], key=UNMASKED))
        return tuple(found)
    for text in values.wrong_json(names or ["x"]):
        if door == "json":
            raw = b'{"event":%b,"data":%b,"id":7}' % (json.dumps(event).encode(), text.encode())
        else:
            raw = b"427[%b,%b]" % (json.dumps(event).encode(), text.encode())
        raw = raw[: values.MAX_FRAME_BYTES]
        found.append(raw if door == "polling" else framed(TEXT, raw, key=UNMASKED))
    return tuple(found)


def _wrong_msgpack() -> Iterator[bytes]:
    """MessagePack that says it is larger or deeper than it is, or that JSON has no word for."""
    most = values.MAX_FRAME_BYTES
    yield b"\x91" * most
    yield b"\x81\xa1x" * (most // 3)
    yield b"\xdd\xff\xff\xff\xff" + b"\xc0" * most
    yield b"\xdf\xff\xff\xff\xff" + b"\xa0\xc0" * (most // 2)
    yield b"\xdb\xff\xff\xff\xff" + b"a" * most
    yield b"\xdc\x75\x30" + b"\xd4\xff\x00" * 20_000  # extensions: times
    yield b"\xdc\x0d\x05" + b"\xc7\x0c\xff" + b"\xff" * 12
    yield b"\xdc\x1a\x0a" + b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff" * 6_600
    yield b"\xdc\x1a\x0a" + b"\xcb\x7f\xef\xff\xff\xff\xff\xff\xff" * 6_600


def _packed(door: Door, frames: list[bytes]) -> tuple[bytes, ...]:
    """Small frames in one piece; a POST has as many packets as it may."""
    if not frames or sum(map(len, frames)) / len(frames) > SMALL_BYTES:
        return tuple(frames)
    times = max(1, min(PACKED, values.MAX_FRAME_BYTES // sum(map(len, frames))))
    joined = (b"\x1e" if door == "polling" else b"").join(frames * times)
    if door != "polling" or len(joined) <= values.MAX_FRAME_BYTES:
        return (joined,)
    half = len(frames) // 2
    return (*_packed(door, frames[:half]), *_packed(door, frames[half:]))
