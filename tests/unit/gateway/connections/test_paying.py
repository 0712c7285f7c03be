"""What a WebSocket pays for, and when: a real socket, with the budget of a connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest

from gateway.connections.intake import IntakeRates, Intakes
from gateway.connections.keepalive import KeepaliveSweep
from gateway.connections.websocket import WebSocketLink
from shared.rates import Rate
from tests.security.raw import TEXT, framed
from tests.support.waiting import eventually

BURST = 100
NEVER = Rate.parse(f"1/1h:{BURST}")


class Reader:
    """Notes what was left of the budget when each message came."""

    def __init__(self, link: WebSocketLink) -> None:
        assert link.intake
        self.intake = link.intake
        self.left: asyncio.Queue[float] = asyncio.Queue()

    def received(self, data: bytes, *, text: bool) -> None:  # noqa: ARG002 - as every receiver
        """Take a message."""
        self.left.put_nowait(self.intake.bytes)

    def unreadable(self, data: bytes) -> None:
        """None is sent."""

    def writable(self) -> None:
        """Nothing waits."""

    def lost(self) -> None:
        """Nothing to clear."""


@pytest.fixture
async def client() -> AsyncIterator[tuple[asyncio.StreamWriter, Reader]]:
    """An open WebSocket: its client's end, and its reader at the gateway."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=theirs)
    readers: list[Reader] = []

    def make(link: WebSocketLink) -> Reader:
        readers.append(Reader(link))
        return readers[0]

    intake = Intakes(IntakeRates(NEVER, NEVER, NEVER)).open("192.0.2.1")
    WebSocketLink(transport, make, set(), BURST, KeepaliveSweep(60), intake=intake)
    yield writer, readers[0]
    transport.close()
    writer.close()


async def _is_paid(reader: Reader, left: float) -> bool:
    return reader.intake.bytes == left


async def test_bytes_are_paid_before_they_are_parsed(
    client: tuple[asyncio.StreamWriter, Reader],
) -> None:
    """A message is handled once the bytes that it came in are paid for, all of them."""
    writer, reader = client
    sent = framed(TEXT, b"hello") * 3
    writer.write(sent)
    async with asyncio.timeout(30):
        assert [await reader.left.get() for _ in range(3)] == [BURST - len(sent)] * 3


async def test_packets_are_paid_once_each(client: tuple[asyncio.StreamWriter, Reader]) -> None:
    """Each frame costs a packet, however many reads it takes, and however many a read has."""
    writer, reader = client
    one = framed(TEXT, b"hello")
    left = BURST
    for part in (one[:4], one[4:] + one + one, one):
        writer.write(part)
        left -= len(part)
        await eventually(partial(_is_paid, reader, left))
    assert reader.left.qsize() == 4
    assert reader.intake.packets == BURST - 4
