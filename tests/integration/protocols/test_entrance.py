"""Connections that do not say what they want, and peers that are not there any more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psutil
import pytest
from websockets.frames import Frame, Opcode

from tests.integration.protocols.conftest import Server, receive, serve

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

PENDING = {
    "nothing": b"",
    "a line end": b"\r\n",
    "half of a line": b"GET /eng",
    "half of the headers": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "half of a handshake": UPGRADE[:-2],
}


class Wire:
    """A connection of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send; whoever has closed does not take it."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def head(self) -> bytes:
        """What comes up to the end of an answer's headers."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def closed(self) -> bytes:
        """What came until the server closed it."""
        answered = b""
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                while more := await self._reader.read(65_536):
                    answered += more
        return answered

    async def is_open(self) -> bool:
        """Whether nothing has come, not even the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await self._reader.read(1)
                return False
        return True


@contextlib.asynccontextmanager
async def wire(server: Server) -> AsyncIterator[Wire]:
    """Connect."""
    reader, writer = await asyncio.open_connection(*server.address.split(":"))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@pytest.fixture(scope="module")
async def hasty() -> AsyncIterator[Server]:
    """A server that waits for nothing long, but for a client that has to wait for its turn."""
    times = ("--handshake-timeout", "3000", "--websocket-ping", "3000")
    async with serve(*times, "--ping-interval", "60000", "--ping-timeout", "60000") as server:
        yield server
        assert server.logged_no_trace()


@pytest.mark.parametrize("name", PENDING)
async def test_a_request_that_does_not_come(hasty: Server, name: str) -> None:
    """A connection that says nothing, or not all of its request, is closed."""
    async with wire(hasty) as one:
        await one.send(PENDING[name])
        assert b" 408 " in await one.closed()


@pytest.mark.parametrize("pending", [b"\r\n", b"GET /e"])
async def test_a_second_request_that_does_not_come(hasty: Server, pending: bytes) -> None:
    """What comes behind an answer, and is no whole request, keeps no connection open."""
    async with wire(hasty) as one:
        await one.send(b"OPTIONS /engine.io/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 204 " in await one.head()
        await one.send(pending)
        assert b" 408 " in await one.closed()


async def test_a_request_that_comes_by_drops(hasty: Server) -> None:
    """A header more now and then does not keep a connection open."""
    async with wire(hasty) as one:
        await one.send(UPGRADE[:-2])
        closed = asyncio.create_task(one.closed())
        while not closed.done():
            await one.send(b"X-More: 1\r\n")
            await asyncio.wait([closed], timeout=0.05)
        assert b" 408 " in closed.result()


async def test_endless_headers(calm: Server) -> None:
    """A connection whose headers go on and on is closed, long before they would be late."""
    async with wire(calm) as one:
        await one.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
        closed = asyncio.create_task(one.closed())
        for _ in range(5000):
            await one.send(b"X-More: " + b"x" * 4096 + b"\r\n")
        # With more of its bytes unread, its end may come before the answer does.
        assert b" 431 " in await closed or not closed.result()


async def test_a_peer_that_is_gone(hasty: Server) -> None:
    """A WebSocket whose peer answers no ping is dropped; one that answers stays."""
    async with hasty.websocket("/") as here, wire(hasty) as gone:
        await gone.send(UPGRADE)
        assert b" 101 " in await gone.head()
        assert set(await gone.closed()) <= {0x89, 0x00}  # pings, and then the end
        await here.send("still here")
        assert await receive(here) == "still here"


async def test_the_oldest_silent_connection_gives_way() -> None:
    """Many silent connections keep nobody out: where there are too many, the oldest is closed."""
    async with serve("--max-half-open", "20") as server, contextlib.AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(wire(server)) for _ in range(30)]
        for one in silent[:10]:
            assert b" 408 " in await one.closed()
        assert await silent[-1].is_open()
        async with server.websocket("/") as welcome:
            await welcome.send("let in")
            assert await receive(welcome) == "let in"


async def test_pings_of_a_client_that_reads_nothing(calm: Server) -> None:
    """Answers to pings are not kept for a client that does not read them."""
    (process,) = [
        each
        for each in psutil.Process().children()
        if f"--port {calm.address.split(':')[1]} " in " ".join([*each.cmdline(), ""])
    ]
    ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 1000
    async with wire(calm) as one:
        await one.send(UPGRADE)
        assert b" 101 " in await one.head()
        before = process.memory_info().rss
        for _ in range(500):
            await one.send(ping)
        assert process.memory_info().rss - before < 30_000_000
