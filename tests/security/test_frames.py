"""Bytes that no client library would send, to every endpoint that speaks WebSocket."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import psutil
import pytest

from tests.security.doors import DOORS, PollingDoor, enter, new_address
from tests.security.raw import BINARY, CLOSE, CONTINUATION, PING, TEXT, RawSocket, framed
from tests.support.cluster import Cluster
from tests.support.peer import Peer

MOST = 65_536
MORE_MEMORY = 64 * 2**20
"""Bytes that a gateway may grow by while somebody tries to fill it."""


class Endpoint(NamedTuple):
    """Where a WebSocket is opened, and what kind of frames is sent there."""

    path: str
    protocol: str
    opcode: int


ENTRANCES = {
    "json": Endpoint("/ws", "chat.json", TEXT),
    "msgpack": Endpoint("/ws", "chat.msgpack", BINARY),
    "socket.io": Endpoint("/socket.io/?EIO=4&transport=websocket", "", TEXT),
}


def fragments(opcode: int, count: int, payload: bytes = b"") -> Iterator[bytes]:
    """A message that is begun, and gone on with so many times."""
    yield framed(opcode, payload, fin=False)
    piece = framed(CONTINUATION, payload, fin=False)
    for _ in range(count // 1000):
        yield piece * 1000


ATTACKS: dict[str, tuple[int, Callable[[int], Iterable[bytes]]]] = {
    "oversized": (1009, lambda kind: [framed(kind, b"x" * (MOST + 1))]),
    "oversized in fragments": (1009, lambda kind: fragments(kind, 1000, b"x" * 1000)),
    "a million empty continuations": (1008, lambda kind: fragments(kind, 1_000_000)),
    "1 TiB announced": (1009, lambda kind: [framed(kind, b"x", claimed=2**40)]),
    "2^63 bytes announced": (1009, lambda kind: [framed(kind, b"x", claimed=2**63)]),
    "unmasked": (1002, lambda kind: [framed(kind, b"hello", mask=False)]),
    "reserved bit 1, as if compressed": (1002, lambda kind: [framed(kind, b"x", reserved=4)]),
    "reserved bit 2": (1002, lambda kind: [framed(kind, b"x", reserved=2)]),
    "reserved bit 3": (1002, lambda kind: [framed(kind, b"x", reserved=1)]),
    "a reserved opcode": (1002, lambda _: [framed(5, b"x")]),
    "a reserved control opcode": (1002, lambda _: [framed(11, b"x")]),
    "no UTF-8": (1007, lambda _: [framed(TEXT, b"\xff\xfe")]),
    "a surrogate in UTF-8": (1007, lambda _: [framed(TEXT, b"\xed\xa0\x80")]),
    "an overlong zero": (1007, lambda _: [framed(TEXT, b"\xc0\x80")]),
    "half a character": (1007, lambda _: [framed(TEXT, b"\xe2\x82")]),
    "a continuation of nothing": (1002, lambda _: [framed(CONTINUATION, b"x")]),
    "a message in a message": (1002, lambda kind: [framed(kind, b"x", fin=False)] * 2),
    "a ping in fragments": (1002, lambda _: [framed(PING, b"x", fin=False)]),
    "a long ping": (1002, lambda _: [framed(PING, b"x" * 126)]),
    "half a close code": (1002, lambda _: [framed(CLOSE, b"\x03")]),
    "a close code that is reserved": (1002, lambda _: [framed(CLOSE, (1005).to_bytes(2, "big"))]),
    "a reason that is no UTF-8": (1007, lambda _: [framed(CLOSE, b"\x03\xe8\xff")]),
}


def attack(port: int, entrance: Endpoint, pieces: Iterable[bytes]) -> int | None:
    """Open a WebSocket, send bytes for as long as they are taken; the close code that comes."""
    with RawSocket(port) as client:
        offered = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        head = client.upgrade(entrance.path, entrance.protocol, offered)
        assert head.startswith(b"HTTP/1.1 101")
        assert b"extensions" not in head.lower()  # compression was offered, and is not taken
        for piece in pieces:
            if not client.send(piece):
                break
        return client.close_code()


@pytest.mark.parametrize("gateway", [1, 2])
@pytest.mark.parametrize("entrance", ENTRANCES)
async def test_bytes_that_break_the_protocol(cluster: Cluster, entrance: str, gateway: int) -> None:
    """Each ends its own connection with the code that says why; memory is bounded."""
    at, port = ENTRANCES[entrance], cluster.gateway_port(gateway)
    process = psutil.Process(cluster.pid(f"gateway-{gateway}"))
    before = process.memory_info().rss
    async with Peer(cluster.gateway_url(gateway)) as calm:
        for name, (code, pieces) in ATTACKS.items():
            got = await asyncio.to_thread(attack, port, at, pieces(at.opcode))
            assert got == code, name
        assert await calm.request("getRooms") == {}
    assert process.memory_info().rss < before + MORE_MEMORY


def post(port: int, path: str, *, chunked: bool) -> bytes:
    """Post a body above 64 KiB; the answer."""
    with RawSocket(port) as client:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {MOST + 1}"
        client.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        piece = b"4" + b"x" * MOST
        client.send(b"10001\r\n" + piece + b"\r\n" if chunked else piece)
        return client.some()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("gateway", [1, 2])
async def test_bodies_that_are_too_big(cluster: Cluster, gateway: int, *, chunked: bool) -> None:
    """A body above 64 KiB is refused over polling and REST, also where it hides its length."""
    port = cluster.gateway_port(gateway)
    async with PollingDoor(cluster.gateway_url(gateway), headers=new_address()) as polling:
        path = polling.session.partition(str(port))[2]
        for where in (path, "/chats"):
            answer = await asyncio.to_thread(post, port, where, chunked=chunked)
            assert answer.startswith(b"HTTP/1.1 413"), where


@pytest.mark.parametrize("gateway", [1, 2])
async def test_requests_that_are_none(cluster: Cluster, gateway: int) -> None:
    """What is no request of HTTP, or two in one, is refused and hung up on, without a trace."""
    port = cluster.gateway_port(gateway)
    chunked = "Transfer-Encoding: chunked"
    post = "POST /chats HTTP/1.1\r\nHost: localhost\r\n"
    requests = {
        "no HTTP": "hello\r\n\r\n",
        "a line end in a header": "GET / HTTP/1.1\r\nHost: localhost\r\nA\rB: c\r\n\r\n",
        "two lengths": f"{post}Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
        "a length and chunks": f"{post}Content-Length: 3\r\n{chunked}\r\n\r\n0\r\n\r\n",
        "a length that is none": f"{post}Content-Length: -1\r\n\r\n",
        "a chunk of no size": f"{post}{chunked}\r\n\r\nzz\r\n",
        "no end of headers": "GET / HTTP/1.1\r\n" + "A: b\r\n" * 20_000,
    }

    def ask(text: str) -> bytes:
        with RawSocket(port) as client:
            client.send(text.encode())
            return client.rest()

    for name, text in requests.items():
        answer = await asyncio.to_thread(ask, text)
        assert answer.startswith(b"HTTP/1.1 4") or not answer, name
        assert b"Traceback" not in answer, name
    for door in DOORS:
        async with enter(door, cluster.gateway_url(gateway)) as peer:
            assert await peer.request("getRooms") == {}
