"""Attacks on every endpoint of HTTP: files, health, handshakes, REST, in each method."""

import json
from collections.abc import Iterator
from typing import Final

import msgspec
from starlette.routing import Mount, Route

from gateway.api.actions import REQUESTS
from gateway.endpoints import guard, web
from tests.security.attacks.attack import ADDRESS, HEADS, TOKEN, USER, Attack, handshake
from tests.security.attacks.catalogue import values

PIPELINED: Final = 200
"""Requests that are written at once."""
METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "BREW")
MAX_HEAD_BYTES: Final = 60_000


def attacks() -> Iterator[Attack]:
    """All attacks on endpoints."""
    for path in _paths():
        worst = path in {"/", "/health/ready", "/openapi.json"}
        yield _attack(f"GET {path}", path, _request("GET", path) * PIPELINED, worst=worst)
        others = b"".join(_request(method, path) for method in METHODS)
        yield _attack(f"all methods, {path}", path, others * (PIPELINED // len(METHODS)))
        large = (_large_heads(), _ranges())
        heads = b"".join(_request("GET", path, each) for each in large)
        yield _attack(f"largest heads, {path}", path, heads + _request("GET", f"{path}?{_QUERY}"))
    yield from _handshakes()
    yield from _rest()
    yield from _no_requests()


_QUERY: Final = "&".join(["%ff=%00"] * (MAX_HEAD_BYTES // 8))
_SID: Final = "/socket.io/?EIO=4&transport=polling&sid="


def _paths() -> list[str]:
    """Every path that asks nobody who they are, and some that are none."""
    folders = [route.path for route in web.routes() if isinstance(route, Mount)]
    pages = [route.path for route in web.routes() if isinstance(route, Route)]
    return sorted(
        {
            *pages,
            *guard.PUBLIC,
            *(f"{folder}/" for folder in folders),
            *(file for folder in folders for file in _files(folder)),
            "/nothing",
            "/chat/" + "%2e%2e/" * 30,
        }
    )


def _files(folder: str) -> list[str]:
    """The largest file of a folder of pages."""
    on_disk = web.JAVASCRIPT_CLIENT if folder == "/client" else web.WEB / folder.strip("/")
    files = [file for file in on_disk.rglob("*") if file.is_file()]
    largest = max(files, key=lambda file: file.stat().st_size, default=None)
    return [f"{folder}/{largest.relative_to(on_disk)}"] if largest else []


def _handshakes() -> Iterator[Attack]:
    """Handshakes of sessions that there are not, and with tokens and tickets that are none."""
    long_sid = "x" * 4000
    header, payload = "eyJhbGciOiJSUzI1NiJ9", "e30" * 2000
    for name, path in {
        "polling of no session": f"{_SID}nothing",
        "polling of a session with a long name": _SID + long_sid,
        "a handshake of polling": "/socket.io/?EIO=4&transport=polling",
        "a handshake of another protocol": "/socket.io/?EIO=3&transport=polling",
        "a handshake with a large query": f"/socket.io/?EIO=4&transport=polling&{_QUERY}",
        "a handshake of no transport": "/socket.io/?EIO=4&transport=pigeon",
    }.items():
        worst = name == "polling of no session"
        yield _attack(f"{name}, GET", "/socket.io/", _request("GET", path) * 100, worst=worst)
        body = b"4" * 1000
        yield _attack(f"{name}, POST", "/socket.io/", _request("POST", path, body=body) * 50)
    for door, (path, _) in HEADS.items():
        opened = handshake(door, "", ADDRESS)
        forged = handshake(door, f"{header}.{payload}.{'A' * 342}", ADDRESS)
        yield _attack(f"handshakes, {door}", path, opened, worst=door == "json")
        yield _attack(f"handshakes with forged tokens, {door}", path, forged)
        ticket = opened.replace(b" HTTP/1.1", b"&ticket=" + b"t" * 4000 + b" HTTP/1.1", 1)
        ticket = ticket if b"?" in ticket else ticket.replace(b"&ticket", b"?ticket", 1)
        yield _attack(f"handshakes with made-up tickets, {door}", path, ticket)
        sid = opened.replace(b" HTTP/1.1", b"&sid=nothing HTTP/1.1", 1)
        yield _attack(f"handshakes of no session, {door}", path, sid)


def _rest() -> Iterator[Attack]:
    """Each request of the table, with the largest and worst bodies, with a token and without."""
    for name, request in REQUESTS.items():
        method, path = name.split(" ")
        kind = request.action.command
        longest = [json.dumps(data).encode() for data in values.longest_values(kind)][:24]
        names = [each.encode_name for each in msgspec.structs.fields(kind)] or ["x"]
        wrong = [json.dumps(data).encode() for data in values.wrong_values(kind)]
        wrong += [text.encode()[: values.MAX_FRAME_BYTES] for text in values.wrong_json(names)]
        real = path.replace("{chat}", "9007199254740991").replace("{user}", USER)
        for login in (True, False):
            shown = f"Authorization: Bearer {TOKEN}\r\n" if login else ""
            title = f"{name}{'' if login else ', no login'}"
            sent = [_request(method, real, shown, body) for body in (longest or [b""])]
            yield _rest_attack(title, name, (b"".join(sent),), login=login, worst=login)
            sent = [_request(method, real, shown, body) for body in wrong]
            yield _rest_attack(f"{title}, wrong bodies", name, tuple(sent), login=login)
            long = path.replace("{chat}", "9" * 4000).replace("{user}", "%EF%B7%BA" * 256)
            sent = [_request(method, long, shown)] * 20
            yield _rest_attack(f"{title}, long", name, tuple(sent), login=login)


def _no_requests() -> Iterator[Attack]:
    """Bytes that are no request, or that never end to be one."""
    chunked = "POST /chats HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    get = "GET / HTTP/1.1\r\nHost: localhost\r\n"
    for name, (opening, piece) in {
        "no HTTP": ("", b"\x16\x03\x01" * 20_000),
        "line ends": ("", b"\r\n" * 30_000),
        "a line without end": ("GET /", b"a" * 60_000),
        "headers without end": (get, b"A: b\r\n" * 9_000),
        "headers, byte by byte": (get, b"A"),
        "chunks of a byte": (chunked, b"1\r\nx\r\n" * 9_000),
        "chunks with extensions": (chunked, b"1;" + b"a=b;" * 10_000 + b"\r\nx\r\n"),
        "trailers without end": (chunked + "0\r\n", b"A: b\r\n" * 9_000),
        "a body without end": (f"{get}Content-Length: 9999999999\r\n\r\n", b"x" * 60_000),
        "one header with many values": ("", _request("GET", "/", "X-Forwarded-For: 1\r\n" * 2_000)),
        "a long list of addresses": (
            "",
            _request("GET", "/chats/1", "X-Forwarded-For: " + "127.0.0.1," * 5_000 + "\r\n"),
        ),
        "a long list of origins": (
            "",
            _request("GET", "/chats/1", "Origin: http://" + "a." * 25_000 + "\r\n"),
        ),
    }.items():
        yield Attack(
            name=name,
            against="HTTP",
            door="http",
            pieces=(piece,),
            opening=(opening.encode(),) if opening else (),
            worst=name == "chunks of a byte",
        )


def _rest_attack(
    name: str, against: str, pieces: tuple[bytes, ...], *, login: bool, worst: bool = False
) -> Attack:
    return Attack(name=name, against=against, door="http", pieces=pieces, login=login, worst=worst)


def _attack(name: str, against: str, piece: bytes, *, worst: bool = False) -> Attack:
    return Attack(name=name, against=against, door="http", pieces=(piece,), worst=worst)


def _request(method: str, path: str, heads: str = "", body: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {ADDRESS}\r\n"
        f"{heads}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _large_heads() -> str:
    return "".join(f"A{n}: {n}\r\n" for n in range(MAX_HEAD_BYTES // 16))


def _ranges() -> str:
    """Parts of a file, as many as a header holds; each would be an answer of its own."""
    return f"Range: bytes={','.join(f'{n}-{n}' for n in range(0, 4000, 2))}\r\n"
