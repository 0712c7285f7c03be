"""The WebSocket itself (RFC 6455), on a real gateway, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

ASK = json.dumps({"event": "setUsername", "data": "ann", "id": 1}).encode()


def masked(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    """A client's frame."""
    return Frame(opcode, payload, fin).serialize(mask=True)


class Raw:
    """A client that writes bytes and reads frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and payload."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        return first & 0x0F, await self._reader.readexactly(size)

    async def until(self, opcode: Opcode, text: bytes = b"") -> bytes:
        """Wait for a frame of this kind that has this in it; its payload."""
        async with asyncio.timeout(HANGS_AFTER):
            while True:
                kind, payload = await self.frame()
                if kind == opcode and text in payload:
                    return payload

    async def ended(self) -> bool:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(HANGS_AFTER):
            return await self._reader.read() == b""


@asynccontextmanager
async def raw(cluster: Cluster) -> AsyncIterator[Raw]:
    """A client after its handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", cluster.gateway_port(1))
    writer.write(HANDSHAKE)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101")
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()


async def test_byte_by_byte_and_in_fragments(cluster: Cluster) -> None:
    """A frame that comes byte by byte, and one in fragments with a ping among them, are handled."""
    async with raw(cluster) as client:
        for byte in masked(Opcode.TEXT, ASK):
            client.write(bytes((byte,)))
            await asyncio.sleep(0)
        await client.until(Opcode.TEXT, b'"id":1')
        again: Any = json.dumps({"event": "setUsername", "data": "ann", "id": 2}).encode()
        client.write(masked(Opcode.TEXT, again[:9], fin=False))
        client.write(masked(Opcode.PING, b"there?"))
        client.write(masked(Opcode.CONT, again[9:20], fin=False) + masked(Opcode.CONT, again[20:]))
        assert await client.until(Opcode.PONG) == b"there?"
        await client.until(Opcode.TEXT, b'"id":2')


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Frame(Opcode.TEXT, ASK).serialize(mask=False), 1002),
        (masked(Opcode.CONT, b"x"), 1002),
        (masked(Opcode.TEXT, b"\xff\xfe"), 1007),
        (masked(Opcode.TEXT, b"x" * 70_000), 1009),
        (masked(Opcode.CLOSE, b"\x03\xed"), 1002),
    ],
    ids=["unmasked", "fragment of nothing", "not UTF-8", "too big", "bad close code"],
)
async def test_what_breaks_the_protocol(cluster: Cluster, data: bytes, code: int) -> None:
    """What breaks the protocol ends the connection with the code that says why."""
    async with raw(cluster) as client:
        client.write(data)
        assert int.from_bytes((await client.until(Opcode.CLOSE))[:2], "big") == code
        assert await client.ended()


async def test_a_goodbye_is_answered(cluster: Cluster) -> None:
    """A client that closes gets its code back, and nothing after it."""
    async with raw(cluster) as client:
        client.write(masked(Opcode.CLOSE, (1000).to_bytes(2, "big")) + masked(Opcode.TEXT, ASK))
        assert await client.until(Opcode.CLOSE) == (1000).to_bytes(2, "big")
        assert await client.ended()
