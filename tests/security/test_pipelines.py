"""Requests sent before the earlier ones are answered, and bodies that nobody wants."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from tests.security.raw import RawSocket
from tests.support.cluster import Cluster
from tests.support.peer import Peer

MORE_MEMORY = 48 * 2**20
"""Bytes that a gateway may grow by while somebody tries to fill it."""

HOST = b"Host: localhost\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
BODY = b'{"user1Id": 1, "user2Id": "x"}'
CHUNKS = b"%x\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (
    7,
    BODY[:7],
    len(BODY) - 7,
    BODY[7:],
)
POST = b"POST /chats HTTP/1.1\r\n" + HOST
REQUESTS = [
    LIVE,
    POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    b"\r\n\r\nHEAD /docs HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n",
    LAST,
]


def ask(port: int, pieces: list[bytes], pause: float = 0) -> list[bytes]:
    """Send pieces on one connection; the status of each answer until the server hangs up."""
    with RawSocket(port) as client:
        for piece in pieces:
            assert client.send(piece)
            time.sleep(pause)  # pieces of one request are to be read one by one
        return [part[:3] for part in client.rest().split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
async def test_requests_are_answered_in_order(cluster: Cluster, size: int) -> None:
    """Requests in one go are answered one by one in order, wherever their bytes are cut."""
    sent = b"".join(REQUESTS)
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    pause = 0.001 if len(pieces) > 1 else 0
    expected = [b"200", b"201", b"201", b"200", b"404", b"404"]
    assert await asyncio.to_thread(ask, cluster.gateway_port(1), pieces, pause) == expected


async def test_bytes_after_a_handshake(cluster: Cluster) -> None:
    """What follows the handshake of a WebSocket in the same packet is read as its first frames."""
    ping = b"\x89\x80\x00\x00\x00\x00"
    key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    upgrade = b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + HOST + key

    def pong() -> bool:
        with RawSocket(cluster.gateway_port(1)) as client:
            client.send(LIVE + upgrade + b"\r\n" + ping)
            got = b""
            while b"\x8a\x00" not in got:
                if client.ended():
                    return False
                got = client.some()
            return got.count(b"HTTP/1.1 101") == 1

    assert await asyncio.to_thread(pong)


@contextmanager
def memory_bounded(cluster: Cluster) -> Iterator[None]:
    """Fail if the first gateway has grown when the block ends."""
    process = psutil.Process(cluster.pid("gateway-1"))
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss < before + MORE_MEMORY


async def test_pipelines_that_are_never_read(cluster: Cluster) -> None:
    """Tens of thousands of requests on connections that read nothing wait where they are."""
    many = LIVE * (2**18 // len(LIVE))
    port = cluster.gateway_port(1)
    with ExitStack() as stack, memory_bounded(cluster):
        for _ in range(8):
            one = stack.enter_context(RawSocket(port))
            await asyncio.to_thread(one.send_some, many * 64)
        async with Peer(cluster.gateway_url(1)) as calm:
            assert await calm.request("getRooms") == {}


async def test_requests_behind_one_that_waits(cluster: Cluster) -> None:
    """Behind a poll that waits for news the bytes of other requests are left with the sender."""
    port = cluster.gateway_port(1)
    with ExitStack() as stack, memory_bounded(cluster):
        for _ in range(2):
            one = stack.enter_context(RawSocket(port))
            one.send(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n" + HOST + b"\r\n")
            got = b""
            while b'"sid":"' not in got:
                assert not one.ended()
                got = one.some()
            sid = got.partition(b'"sid":"')[2].partition(b'"')[0]
            poll = b"GET /socket.io/?EIO=4&transport=polling&sid=%b HTTP/1.1\r\n" % sid
            one.send(poll + HOST + b"\r\n")
            sent = await asyncio.to_thread(one.send_some, LIVE * (2**26 // len(LIVE)))
            assert sent < 2**25


UNWANTED = {
    "a length": b"Content-Length: 99999999\r\n\r\n",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n%b\r\n" % (b"x" * 2**16),
}


@pytest.mark.parametrize("body", UNWANTED)
async def test_a_body_that_was_refused(cluster: Cluster, body: str) -> None:
    """Whoever goes on sending the body of a refused request is hung up on."""
    port = cluster.gateway_port(1)
    piece = b"10000\r\n%b\r\n" % (b"x" * 2**16) if body == "chunks" else b"x" * 2**16

    def sent() -> int:
        with RawSocket(port) as client:
            client.send(POST + UNWANTED[body])
            return next((n for n in range(1000) if not client.send(piece)), 1000)

    with memory_bounded(cluster):
        assert await asyncio.to_thread(sent) < 1000


ENDLESS = {
    "headers": (b"GET / HTTP/1.1\r\n" + HOST, b"a:\r\n" * 100),
    "a header": (b"GET / HTTP/1.1\r\na: ", b"b" * 400),
    "a path": (b"GET /", b"a" * 400),
    "a header after many requests": (LIVE * 300 + b"GET / HTTP/1.1\r\na: ", b"b" * 400),
    "trailers": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 70),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: ", b"b" * 400),
    "an extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=", b"b" * 400),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_requests_without_end(cluster: Cluster, kind: str) -> None:
    """A request whose lines never end is refused, in its head and in what follows its body."""
    begin, more = ENDLESS[kind]

    def answer() -> bytes:
        with RawSocket(cluster.gateway_port(1)) as client:
            client.send(begin)
            for _ in range(1000):
                if not client.send(more):
                    break
            return client.rest()

    with memory_bounded(cluster):
        last = (await asyncio.to_thread(answer)).rpartition(b"HTTP/1.1 ")[2]
        # What was sent after the refusal may cost its sender the answer.
        assert last[:3] in (b"414", b"431", b"200" if begin.startswith(LIVE) else b"")


@pytest.mark.parametrize(("count", "status"), [(100, b"200"), (200, b"431")])
async def test_many_short_headers(cluster: Cluster, count: int, status: bytes) -> None:
    """A request has so many headers and no more, however short they are."""
    head = b"GET /health/live HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"

    def answer() -> bytes:
        with RawSocket(cluster.gateway_port(1)) as client:
            client.send(head + b"a:\r\n" * count + b"\r\n")
            return client.rest()

    assert (await asyncio.to_thread(answer)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(("size", "status"), [(15_000, b"404"), (20_000, b"414")])
async def test_a_long_path(cluster: Cluster, size: int, status: bytes) -> None:
    """A request has a path of so many bytes and no more, also where its headers are few."""
    head = b"GET /" + b"a" * size + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"

    def answer() -> bytes:
        with RawSocket(cluster.gateway_port(1)) as client:
            client.send(head)
            return client.rest()

    assert (await asyncio.to_thread(answer)).startswith(b"HTTP/1.1 " + status)
