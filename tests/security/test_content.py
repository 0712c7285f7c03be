"""What people write is data: in frames, in names, on pages and in logs."""

import json
from itertools import count
from typing import Any

import httpx
import msgpack
import pytest
from websockets.exceptions import ConnectionClosed

from tests.security.doors import DOORS, Door, enter, make, refused
from tests.support.cluster import Cluster
from tests.support.peer import Peer

_numbers = count(1)

BAD = {"bad_frame", "bad_request", "unknown_event", "too_long"}
DEEP = 20_000

VALUES: dict[str, str] = {
    "NaN": "NaN",
    "infinity": "Infinity",
    "1e999": "1e999",
    "5,000 digits": "9" * 5000,
    "5,000 digits behind the point": "0." + "9" * 5000,
    "a lone surrogate": r'"a\ud800b"',
    "a surrogate the wrong way round": r'"\udc00\ud800"',
    "NUL": r'"a\u0000b"',
    "a number": "7",
    "a list": '["a"]',
    "a deep list": "[" * DEEP + "]" * DEEP,
    "a deep object": '{"a":' * 9000 + "1" + "}" * 9000,
    "unfinished": '"a',
    "two values": '"a" "b"',
    "nothing": "",
    "a key twice": '"a", "content": 7',
}
"""Instead of a text, as JSON has them; none of them is one."""

PACKED: dict[str, bytes] = {
    "an extension type": msgpack.packb(msgpack.ExtType(5, b"x")),
    "a time": msgpack.packb(msgpack.Timestamp(1)),
    "a text of 4 GiB": b"\xdb\xff\xff\xff\xff",
    "bytes of 4 GiB": b"\xc6\xff\xff\xff\xff",
    "a list of 2^32": b"\xdd\xff\xff\xff\xff",
    "a map of 2^32": b"\xdf\xff\xff\xff\xff",
    "an extension of 4 GiB": b"\xc9\xff\xff\xff\xff\x05",
    "a deep list": b"\x91" * DEEP + b"\xc0",
    "a deep map": b"\x81\xa1a" * DEEP + b"\xc0",
    "NaN": msgpack.packb(float("nan")),
    "infinity": msgpack.packb(float("inf")),
    "no UTF-8": b"\xa2\xff\xfe",
    "a lone surrogate": b"\xa3\xed\xa0\x80",
    "NUL": msgpack.packb("a\0b"),
    "bytes for text": msgpack.packb(b"hello"),
    "what MessagePack never uses": b"\xc1",
    "nothing": b"",
}


def spoiled(door: Door, room: str) -> dict[str, str | bytes]:
    """Frames that say something in a room that is no text."""
    if door == "msgpack":
        start = msgpack.packb({"event": "message", "data": {"room": room, "content": "x"}})[:-2]
        return {name: start + value for name, value in PACKED.items()}
    said = {name: f'{{"room":{json.dumps(room)},"content":{v}}}' for name, v in VALUES.items()}
    if door == "json":
        return {name: f'{{"event":"message","data":{data}}}' for name, data in said.items()}
    return {name: f'42["message",{data}]' for name, data in said.items() if "surrogate" not in name}


@pytest.fixture
def room() -> str:
    """A room of this test's own."""
    return f"content {next(_numbers)}"


@pytest.mark.parametrize("gateway", [1, 2])
async def test_values_that_are_none(cluster: Cluster, door: Door, room: str, gateway: int) -> None:
    """Each gets a coded error, or ends a Socket.IO session; it reaches nobody, nor the log."""
    url, logged = cluster.gateway_url(gateway), len(cluster.lines)
    async with Peer(cluster.gateway_url(3 - gateway), "username=ann") as ann:
        await make(ann, room)
        for name, frame in spoiled(door, room).items():
            async with enter(door, url, "username=eve") as eve:
                await eve.request("joinRoom", {"room": room})
                await eve.raw(frame)
                try:
                    assert await eve.request("getRooms") == {}
                except (ConnectionError, ConnectionClosed):
                    # Socket.IO says that what is no packet of its own ends the session.
                    assert door in {"socket.io", "polling"}, name
                    continue
                errors = [error["code"] for error in told(eve)]
                assert errors, name
                assert set(errors) <= BAD, name
        await ann.request("message", {"room": room, "content": "the end"})
        assert [text["content"] for text in await ann.until(1, "message", room)] == ["the end"]
    new = "\n".join(cluster.lines[logged:])
    assert "Traceback" not in new
    assert '"level":"error"' not in new.replace(" ", "")


@pytest.mark.parametrize("gateway", [1, 2])
async def test_half_characters_over_socketio(cluster: Cluster, room: str, gateway: int) -> None:
    """Half of a surrogate pair, which JavaScript can send, comes through as U+FFFD."""
    url = cluster.gateway_url(gateway)
    for door in ("socket.io", "polling"):
        name = f"{room} {door}"
        async with enter(door, url, "username=ann") as ann:
            await make(ann, name)
            await ann.raw(f'42["message",{{"room":"{name}","content":"a\\ud800b"}}]')
            [received] = await ann.until(1, "message", name)
            assert received["content"] == "a\ufffdb"


def told(peer: Peer) -> list[dict[str, Any]]:
    """The errors that a client was told without having asked under a number."""
    return [*peer.all("error"), *peer.all("exception")]


NAMES: dict[str, str] = {
    "braces": "{p}",
    "a hash tag": "a{room}b{",
    "stars": "*",
    "a pattern": "h[ae]llo?",
    "colons": "r:r:x",
    "a key": "{p}:log:r:x",
    "a path": "../../etc/passwd",
    "a percent": "%00%2e%2e",
    "SQL": "'; DROP TABLE rooms; --",
    "LIKE": "%_%",
    "Lua": "']] return redis.call('FLUSHALL') --",
    "a template": "${jndi:ldap://127.0.0.1/a}{{7*7}}",
    "HTML": "<script>alert(1)</script>",
    "a picture": '"><img src=x onerror=alert(1)>',
    "a prototype": "__proto__",
    "a constructor": "constructor",
    "Latin": "\u00e1lpha",
    "Cyrillic": "\u0430lpha",
    "digits": "007",
}
"""Odd, and fine: each is itself and no other."""

NO_NAMES: dict[str, str] = {
    "CR LF": "a\r\nb",
    "a tab": "a\tb",
    "NUL": "a\0b",
    "an escape": "a\x1b[31mb",
    "10 kB": "n" * 10_240,
    "right to left": "a\u202egnp.exe",
    "an embedding": "a\u2066b",
    "no width": "a\u200bb",
    "a line separator": "a\u2028b",
    "a soft hyphen": "a\u00adb",
    "a private character": "a\ue000b",
    "a blank": " ",
    "a blank of Braille": "\u2800",
    "a filler": "\u3164",
    "nothing": "",
    "an object": {"$ne": ""},  # type: ignore[dict-item]
}


@pytest.mark.parametrize("gateway", [1, 2])
async def test_odd_names(cluster: Cluster, door: Door, room: str, gateway: int) -> None:
    """An odd name is a room as any other: it leads to no other room, key, path or query."""
    names = {what: f"{name} {room}" for what, name in NAMES.items()}
    url, other = cluster.gateway_url(gateway), cluster.gateway_url(3 - gateway)
    async with enter(door, url, "username=ann") as ann, Peer(other, "username=bob") as bob:
        for name in names.values():
            await make(ann, name)
            await bob.request("joinRoom", {"room": name})
        for what, name in names.items():
            await ann.request("message", {"room": name, "content": what})
        for what, name in names.items():
            [received] = await bob.until(1, "message", name)
            assert received["content"] == what
            [kept] = (await bob.request("history", {"room": name}))["items"]
            assert kept["content"] == what


@pytest.mark.parametrize("gateway", [1, 2])
async def test_names_that_are_none(cluster: Cluster, door: Door, gateway: int) -> None:
    """A name that cannot be seen for what it is, or is too long, is refused wherever it stands."""
    async with enter(door, cluster.gateway_url(gateway)) as peer:
        for what, name in NO_NAMES.items():
            for event, data in (
                ("createRoom", {"name": name}),
                ("joinRoom", {"room": name}),
                ("setUsername", {"username": name}),
                ("userOnline", {"userId": name}),
                ("createChat", {"user1Id": "ann", "user2Id": name}),
            ):
                assert await refused(peer, event, data) in BAD, (what, event)


MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "</script><svg/onload=alert(1)>",
    "&lt;b&gt; &amp; <b>",
    "\u202egnp.exe\u202c \x1b[31m\r\n\u2028",
)


@pytest.mark.parametrize("gateway", [1, 2])
async def test_markup(cluster: Cluster, door: Door, room: str, gateway: int) -> None:
    """Markup in content comes through as it was written: it is text, and stays text."""
    url, other = cluster.gateway_url(gateway), cluster.gateway_url(3 - gateway)
    async with enter(door, url, "username=ann") as ann, Peer(other, "username=bob") as bob:
        await make(ann, room)
        await bob.request("joinRoom", {"room": room})
        for content in MARKUP:
            await ann.request("message", {"room": room, "content": content})
        for peer in (ann, bob):
            got = [message["content"] for message in await peer.until(len(MARKUP), "message", room)]
            assert got == list(MARKUP)


@pytest.mark.parametrize("gateway", [0, 1, 2])
async def test_markup_in_answers(cluster: Cluster, gateway: int) -> None:
    """What is asked for comes back as JSON that no browser takes for a page, and nothing runs."""
    evil = "<script>alert(1)</script>"
    port = cluster.gateway_port(gateway)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for path in (f"/chats/user/{evil}", f"/chats/{evil}", f"/{evil}", f"/chat/{evil}"):
            answer = await http.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "html" not in answer.headers.get("Content-Type", "")
            assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        page = await http.get("/")
        policy = page.headers["Content-Security-Policy"]
        assert "require-trusted-types-for 'script'" in policy
        assert "default-src 'self'" in policy or "default-src 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("gateway", [0, 1])
async def test_what_caches_keep(cluster: Cluster, gateway: int) -> None:
    """No cache keeps an answer that may be somebody's own, errors included; files are asked for."""
    port = cluster.gateway_port(gateway)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for method, path in (
            ("GET", "/chats/user/ann"),
            ("GET", f"/chats/{2**53 - 1}"),
            ("POST", "/chats"),
            ("GET", "/nothing"),
            ("GET", "/socket.io/?EIO=4&transport=polling"),
        ):
            answer = await http.request(method, path)
            assert answer.headers.get("Cache-Control") == "no-store", path
        for path in ("/", "/chat/app.js", "/client/parley.js"):
            answer = await http.get(path)
            assert answer.headers.get("Cache-Control") == "no-cache", path
            assert "ETag" in answer.headers or path == "/"


async def test_forged_lines(cluster: Cluster) -> None:
    """A log line is one line of JSON, whatever people wrote; nobody writes one by a name."""
    forged = '"}\r\n{"event":"a forged line","level":"info"}\u2028\x1b[2K'
    logged = len(cluster.lines)
    url = cluster.gateway_url(1)
    for door in DOORS:
        async with enter(door, url) as peer:
            for event, data in (
                (forged, {}),
                ("setUsername", {"username": forged}),
                ("createRoom", {"name": forged}),
                ("joinRoom", {"room": forged, "password": forged}),
                ("authenticate", {"token": forged}),
            ):
                await refused(peer, event, data)
    async with httpx.AsyncClient() as http:
        await http.get(f"{url}/chats/user/a%0d%0a%7b%22event%22%3a%22a%20forged%20line%22%7d")
        await http.get(url, headers={"User-Agent": "a forged line", "X-Forwarded-For": "a\tb"})
    # Whatever was logged of it is there once something later is.
    after = len(cluster.lines)
    cluster.kill("persister-1")
    await cluster.wait_line('"persister-1 started', after=after)
    for line in cluster.lines[logged:]:
        if line.startswith("{"):
            assert json.loads(line)["event"] != "a forged line"
        assert "\x1b" not in line


@pytest.mark.parametrize("gateway", [0, 1, 2])
async def test_health_from_outside(cluster: Cluster, gateway: int) -> None:
    """Whoever asks the public port learns whether a gateway is well, and nothing more."""
    base = f"http://127.0.0.1:{cluster.gateway_port(gateway)}"
    async with httpx.AsyncClient(base_url=base) as http:
        for path in ("/health/live", "/health/ready"):
            answer = await http.get(path)
            assert answer.json() in [{"status": word} for word in ("live", "ready", "not ready")]
            assert "server" not in answer.headers
        for path in ("/metrics", "/status", "/status.json", "/admin", "/docs/../metrics"):
            assert (await http.get(path)).status_code == 404
        for method in ("POST", "PUT", "DELETE", "TRACE", "CONNECT"):
            answer = await http.request(method, "/health/live")
            assert answer.status_code in {400, 404, 405, 501}
