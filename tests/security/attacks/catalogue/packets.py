"""Attacks by packets and frames of every kind: Engine.IO, Socket.IO and WebSocket."""

import itertools
from collections.abc import Iterator
from typing import Any, Final

from gateway.protocols.engineio.packets import PacketType
from gateway.protocols.socketio.decoder import MAX_ATTACHMENTS, MAX_NAMESPACE_CHARACTERS
from gateway.protocols.socketio.packets import Kind
from gateway.protocols.websocket_reader import MAX_FRAGMENTS
from tests.security.attacks.attack import Attack, Door
from tests.security.attacks.catalogue.values import MAX_FRAME_BYTES, NESTED
from tests.security.raw import BINARY, CLOSE, CONTINUATION, PING, TEXT, framed

DOORS: Final[tuple[Door, ...]] = ("json", "msgpack", "socket.io")
PONG: Final = 10
MANY: Final = 2000
"""Small frames in one piece."""

LISTS: Final = "[" + ",".join([NESTED] * (MAX_FRAME_BYTES // len(NESTED) - 2)) + "]"
PAYLOADS: Final[dict[str, list[str]]] = {
    "objects": [
        f'{{"x":{LISTS}}}',
        "{" + ",".join(f'"{n:x}":{n}' for n in range(MAX_FRAME_BYTES // 14)) + "}",
        '{"' + r"\ud83d\ude00" * (MAX_FRAME_BYTES // 12 - 2) + '":0}',
    ],
    "lists": [
        LISTS,
        f'["x",{LISTS[1:]}',
        '["x",' + "0," * (MAX_FRAME_BYTES // 2 - 5) + "0]",
        '["' + r"\ud83d\ude00" * (MAX_FRAME_BYTES // 12 - 2) + '"]',
        '["' + r"\ud800" * (MAX_FRAME_BYTES // 6 - 2) + '"]',
        '["' + r"\"[{" * (MAX_FRAME_BYTES // 4 - 2) + '"]',
        '["' + r"\\\"" * (MAX_FRAME_BYTES // 4 - 2) + '"]',
        '["x"' + ',{"_placeholder":true,"num":0}' * (MAX_FRAME_BYTES // 31) + "]",
        '["x"' + ',{"x":{}}' * (MAX_FRAME_BYTES // 9) + "]",
    ],
    "faults": [
        "",
        "[" * (MAX_FRAME_BYTES // 2) + "]" * (MAX_FRAME_BYTES // 2),
        '["x",' + "9" * (MAX_FRAME_BYTES - 20) + "]",
        '["x",{"y":"' + "z" * (MAX_FRAME_BYTES - 20),
        "[" * MAX_FRAME_BYTES,
        '["' + r"\ud800" * (MAX_FRAME_BYTES // 6 - 5),
    ],
}
"""What follows the head of a packet: what some kinds take, and what none takes."""

ROUTES: Final = {
    "": "",
    " of a foreign namespace": "/other,",
    " of a long namespace": "/" + "n" * (MAX_NAMESPACE_CHARACTERS - 1) + ",",
}


def attacks() -> Iterator[Attack]:
    """All attacks by kinds of packets and frames."""
    for login in (False, True):
        yield from _engineio(login=login)
        yield from _socketio(login=login)
    yield from _attachments()
    yield from _opcodes()
    for door in DOORS:
        yield from _websocket(door)


def _engineio(*, login: bool) -> Iterator[Attack]:
    """Each type of packet, as small and as large as it gets."""
    for kind in PacketType:
        small, large = kind.value.encode(), kind.value.encode() + b"x" * MAX_FRAME_BYTES
        worst = kind is PacketType.PONG and not login
        for name, piece in {
            "small": framed(TEXT, small) * MANY,
            "large": framed(TEXT, large),
        }.items():
            title = f"Engine.IO {kind.name}, {name}"
            is_worst = worst and name == "small"
            yield _attack(title, "Engine.IO", (piece,), login=login, worst=is_worst)
        # A POST holds many packets.
        body = b"\x1e".join([small] * 900)
        yield _polling(f"Engine.IO {kind.name}, many in a POST", (body,), login=login, worst=worst)
    for name, body in {
        "empty packets": b"\x1e" * (MAX_FRAME_BYTES - 1),
        "base64": b"b" + b"A" * MAX_FRAME_BYTES,
        "no base64": b"b" + b"=" * MAX_FRAME_BYTES,
        "no UTF-8": b"4" + b"\xff" * MAX_FRAME_BYTES,
    }.items():
        yield _polling(f"a POST of {name}", (body,), login=login)


def _socketio(*, login: bool) -> Iterator[Attack]:
    """Each type of packet with each payload, in each namespace."""
    for kind, (place, route) in itertools.product(Kind, ROUTES.items()):
        binary = f"{MAX_ATTACHMENTS}-" if "BINARY" in kind.name else ""
        number = "7" if kind.name.endswith(("EVENT", "ACK")) else ""
        for name, payloads in PAYLOADS.items():
            head = f"4{kind.value}{binary}{route}{number}"
            pieces = tuple(framed(TEXT, (head + payload).encode()) for payload in payloads)
            worst = (kind.name, place, name, login) in WORST
            title = f"Socket.IO {kind.name}{place}, {name}"
            yield _attack(title, "Socket.IO", pieces, login=login, worst=worst)


WORST: Final = {
    ("CONNECT", " of a foreign namespace", "objects", False),
    ("ACK", "", "lists", True),
    ("BINARY_EVENT", "", "lists", True),
}


def _attachments() -> Iterator[Attack]:
    """Packets with attachments: whole, too many, and texts in place of them."""
    names = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(MAX_ATTACHMENTS))
    head = framed(TEXT, f'45{MAX_ATTACHMENTS}-7["message",{names}]'.encode())
    empty, large = framed(BINARY), framed(BINARY, b"x" * MAX_FRAME_BYTES)
    for name, piece in {
        "attachments, empty": (head + empty * MAX_ATTACHMENTS) * 100,
        "attachments, large": head + large * MAX_ATTACHMENTS,
        "an attachment of nothing": large,
        "no attachment": head + head,
    }.items():
        worst = name == "attachments, empty"
        yield _attack(name, "Socket.IO", (piece,), login=True, worst=worst)


def _opcodes() -> Iterator[Attack]:
    """Each opcode, known or not, empty and large, whole and in fragments."""
    for opcode, door in zip(range(16), itertools.cycle(DOORS), strict=False):
        for size in (0, 125, MAX_FRAME_BYTES):
            times = MANY if size < 126 else 1
            pieces = tuple(framed(opcode, b"x" * size, fin=fin) * times for fin in (True, False))
            yield Attack(
                name=f"opcode {opcode} of {size} bytes, {door}",
                against="WebSocket",
                door=door,
                pieces=pieces if opcode not in {PING, PONG} else pieces[:1],
                login=True,
                worst=(opcode, size) == (PING, 0),
            )


def _websocket(door: Door) -> Iterator[Attack]:
    """Messages in pieces, and bytes that break the protocol."""
    kind = BINARY if door == "msgpack" else TEXT
    first, last = framed(kind, b"x", fin=False), framed(CONTINUATION, b"x")
    nothing = framed(CONTINUATION, fin=False)
    code = (1000).to_bytes(2, "big")
    reserved = framed(kind, b"x" * MAX_FRAME_BYTES, reserved=4)
    pieces: dict[str, tuple[bytes, dict[str, Any]]] = {
        "a message in empty fragments": (first + nothing * (MAX_FRAGMENTS - 2) + last, {}),
        "pings between fragments": (first + framed(PING) * MANY + last, {}),
        "empty messages": (framed(kind) * MANY, {}),
        "half of all frames": (framed(kind, b"x", claimed=60_000), {}),
        "byte by byte": (b"\0", {"opening": (framed(kind, b"", claimed=60_000),)}),
        "on after a goodbye": (framed(CLOSE, code) + framed(PING) * MANY, {"lingers": True}),
        "on after a fault": (reserved, {"lingers": True}),
        "pings, and no answer is read": (framed(PING, b"x" * 125) * MANY, {"reads": False}),
        "frames, and no answer is read": (framed(kind, b"x") * MANY, {"reads": False}),
    }
    for name, (piece, more) in pieces.items():
        yield Attack(
            name=f"{name}, {door}",
            against="WebSocket",
            door=door,
            pieces=(piece,),
            login=True,
            worst=door == "json" and name in {"a message in empty fragments", "on after a fault"},
            **more,
        )


def _attack(
    name: str, against: str, pieces: tuple[bytes, ...], *, login: bool, worst: bool = False
) -> Attack:
    return Attack(
        name=f"{name}{'' if login else ', no login'}",
        against=against,
        door="socket.io",
        pieces=pieces,
        opening=(framed(TEXT, b"40"),) if login else (),
        login=login,
        worst=worst,
    )


def _polling(name: str, pieces: tuple[bytes, ...], *, login: bool, worst: bool = False) -> Attack:
    return Attack(
        name=f"{name}{'' if login else ', no login'}",
        against="Engine.IO by polling",
        door="polling",
        pieces=pieces,
        login=login,
        worst=worst,
    )
