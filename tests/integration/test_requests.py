"""What requests cost the address that sends them, at a gateway that no proxy stands before."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from gateway.connections.http.slowed import PAUSE_SECONDS
from tests.support.ports import free_port
from tests.support.process import Process
from tests.support.stage import Stage
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually

FEW = 6
# Nothing comes back while a test runs.
RATES = {
    "RATE_LIMITS": "on",
    "RATE_PAGES": f"1/1h:{FEW}",
    "RATE_REST": f"1/1h:{FEW}",
    "RATE_CONNECTIONS": f"1/1h:{FEW}",
    "ALLOWED_ORIGINS": "https://chat.example.org",
    "TRUSTED_PROXIES": "127.0.0.9",
}
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
POLL = "/socket.io/?EIO=4&transport=polling"


class Answer(NamedTuple):
    """The answer to a request; status 0 if the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes


NONE = Answer(0, {}, b"")


async def read(reader: asyncio.StreamReader, method: str = "GET") -> Answer:
    """Read an answer."""
    try:
        async with asyncio.timeout(HANGS_AFTER):
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines}
            size = 0 if method == "HEAD" else int(headers.get("content-length", 0))
            return Answer(int(status.split()[1]), headers, await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return NONE


class Client:
    """Somebody at an address of loopback, with a connection for each request.

    Args:
        port: of the gateway.
        address: of the client.
    """

    def __init__(self, port: int, address: str) -> None:
        self._to = ("127.0.0.1", port)
        self._address = address

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection(*self._to, local_addr=(self._address, 0))

    async def send(self, data: bytes, method: str = "GET") -> Answer:
        """Send bytes on a new connection; the answer."""
        reader, writer = await self.connect()
        try:
            writer.write(data)
            return await read(reader, method)
        finally:
            writer.close()

    async def ask(self, path: str, *headers: str, method: str = "GET") -> Answer:
        """Send a request on a new connection; the answer."""
        return await self.send(request(path, *headers, method=method), method)

    async def statuses(self, path: str, times: int, *headers: str, method: str) -> list[int]:
        """Ask for a path again and again; the status of each answer."""
        return [(await self.ask(path, *headers, method=method)).status for _ in range(times)]


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


@pytest.fixture(scope="module")
async def port(
    running_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    """The port of a gateway that limits rates. Each test has addresses of its own."""
    port, admin = free_port(), free_port()
    settings = {"PORT": str(port), "ADMIN_PORT": str(admin), "START_SECONDS": "0"}
    async with running_server.lent() as server:
        stage = Stage(server, tmp_path_factory.mktemp("requests"))
        async with Process("gateway", {**stage.env, **RATES, **settings}):
            yield await _live(port)
        await stage.close()


async def _live(port: int) -> int:

    async def live() -> bool:
        try:
            return (await Client(port, "127.0.0.1").ask("/health/live")).status == 200
        except ConnectionError:
            return False

    assert await eventually(live)
    return port


async def test_every_request_costs_something(port: int) -> None:
    """Files, documents, unknown paths, wrong methods, preflights: an address is soon refused."""
    kinds = {
        "files": ("GET", "/", ()),
        "documents": ("HEAD", "/openapi.json", ()),
        "no files": ("GET", "/chat/nothing.js", ()),
        "wrong methods": ("PUT", "/docs", ()),
        "unknown paths": ("GET", "/nothing", ()),
        "options": ("OPTIONS", "/chats", ()),
        "preflights": (
            "OPTIONS",
            "/chats",
            ("Origin: https://chat.example.org", "Access-Control-Request-Method: GET"),
        ),
        "other origins": ("GET", "/chats/1", ("Origin: https://evil.example",)),
        "no session": ("GET", f"{POLL}&sid=gateway.none", ()),
        "no session of a WebSocket": ("GET", "/socket.io/?transport=websocket&sid=none", UPGRADE),
        "sockets of other origins": ("GET", "/ws", (*UPGRADE, "Origin: https://evil.example")),
    }
    for number, (kind, (method, path, headers)) in enumerate(kinds.items(), 20):
        client = Client(port, f"127.0.0.{number}")
        got = await client.statuses(path, FEW, *headers, method=method)
        assert 429 not in got, kind
        refused = await client.ask(path, *headers, method=method)
        assert refused.status == 429, kind
        assert int(refused.headers["retry-after"]) > 0, kind
    assert (await Client(port, "127.0.0.19").ask("/")).status == 200


async def test_bytes_that_are_no_request_cost_something(port: int) -> None:
    """An address that sends bytes that are no request has spent its requests for pages."""
    client = Client(port, "127.0.0.6")
    many = ["A: b"] * 200
    for _ in range(FEW // 2):
        assert (await client.send(b"hello\r\n\r\n")).status == 400
        assert (await client.ask("/", *many)).status in (431, 0)
    assert (await client.ask("/")).status == 429


async def test_a_page_that_is_refused_may_read_when_to_ask(port: int) -> None:
    """A page of another origin that may ask reads the refusal and its `Retry-After`."""
    client, origin = Client(port, "127.0.0.7"), "https://chat.example.org"
    for _ in range(FEW):
        await client.ask("/chats/1", f"Origin: {origin}")
    refused = await client.ask("/chats/1", f"Origin: {origin}")
    assert refused.status == 429
    assert refused.headers["access-control-allow-origin"] == origin
    assert "retry-after" in refused.headers["access-control-expose-headers"].lower()


async def test_health_checks_are_always_answered(port: int) -> None:
    """Whoever asks for an address that floods, or from the same, learns that a gateway is well."""
    client = Client(port, "127.0.0.8")
    got = await client.statuses("/health/live", FEW + 4, method="GET")
    assert got == [200] * (FEW + 4)
    assert (await client.ask("/")).status == 429
    assert (await client.ask("/health/live")).status == 200


async def test_a_session_goes_on(port: int) -> None:
    """An address that may open no more sessions goes on with those that it has."""
    client = Client(port, "127.0.0.14")
    opened = [await client.ask(POLL) for _ in range(FEW + 1)]
    assert [answer.status for answer in opened] == [200] * FEW + [429]
    sid = opened[0].body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
    body = b"40"
    posted = request(f"{POLL}&sid={sid}", f"Content-Length: {len(body)}", method="POST") + body
    assert (await client.send(posted)).body == b"ok"
    assert b'40{"sid"' in (await client.ask(f"{POLL}&sid={sid}")).body


async def test_a_connection_that_goes_on_is_closed(port: int) -> None:
    """Requests in one go are cut off once they are refused, and the address is served again."""
    client = Client(port, "127.0.0.15")
    reader, writer = await client.connect()
    writer.write(request("/docs/start.js") * 1000)
    got = []
    while (answer := await read(reader)).status:
        got.append(answer)
    writer.close()
    statuses = [answer.status for answer in got]
    assert statuses[: FEW + 1] == [200] * FEW + [429]
    assert len(got) <= FEW + 3
    assert got[-1].headers["connection"] == "close" or got[-1].status == 429
    assert (await client.ask("/chats/1")).status != 429


async def test_a_proxy_is_not_slowed(port: int) -> None:
    """A trusted proxy's connection serves its other clients while one of them is refused."""
    proxy = Client(port, "127.0.0.9")
    reader, writer = await proxy.connect()
    loud, calm = "X-Forwarded-For: 2001:db8::1", "X-Forwarded-For: 2001:db9::1"
    for number in range(FEW + 3):
        writer.write(request("/docs", loud))
        assert (await read(reader)).status == (200 if number < FEW else 429)
    # Bodies of what is refused are no requests.
    body = request("/docs", calm)
    writer.write(request("/docs", loud, f"Content-Length: {len(body)}", method="POST") + body)
    assert (await read(reader)).status == 429
    writer.write(request("/docs", loud, method="HEAD"))
    refused = await read(reader, "HEAD")
    assert (refused.status, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert "content-security-policy" in refused.headers
    writer.write(request("/docs", calm))
    assert (await read(reader)).status == 200
    writer.close()


async def test_a_proxy_waits_for_a_refusal(port: int) -> None:
    """What is refused behind a proxy costs its connection time, and requests beside it none."""
    proxy = Client(port, "127.0.0.9")
    loud, calm = "X-Forwarded-For: 2001:dba::1", "X-Forwarded-For: 2001:dbb::1"
    reader, writer = await proxy.connect()
    # The last one is what the guard finds out; those after it are known to be refused.
    for _ in range(FEW + 1):
        writer.write(request("/docs", loud))
        await read(reader)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    writer.write(request("/docs", loud))
    refused = asyncio.create_task(read(reader))
    beside, other = await proxy.connect()
    for _ in range(FEW):
        other.write(request("/docs", calm))
        assert (await read(beside)).status == 200
    assert (await refused).status == 429
    assert loop.time() - begun >= PAUSE_SECONDS
    writer.close()
    other.close()
