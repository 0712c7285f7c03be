"""Engine.IO 4 over WebSocket, from the start and after an upgrade."""

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.protocols.conftest import BAD_REQUEST, UNKNOWN, Server, receive, until_closed
from tests.support.waiting import eventually

PATH = "/engine.io/"


async def handshake(socket: ClientConnection) -> str:
    """Take the open packet of a session that began on this WebSocket: its sid."""
    message = await receive(socket)
    assert isinstance(message, str)
    sid: str = json.loads(message[1:])["sid"]
    return sid


async def test_handshake(strict: Server) -> None:
    """The first message is the open packet; there is nothing to upgrade to."""
    async with strict.websocket(PATH) as socket:
        message = await receive(socket)

    assert isinstance(message, str)
    opened = json.loads(message.removeprefix("0"))
    assert opened.pop("sid")
    assert opened == {
        "upgrades": [],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"transport": "abc"}, "Transport unknown"),
        ({"transport": ""}, "Transport unknown"),
        ({"transport": "polling"}, "Bad request"),
        ({"sid": "nobody"}, "Session ID unknown"),
        ({"EIO": ""}, "Unsupported protocol version"),
        ({"EIO": "3"}, "Unsupported protocol version"),
        ({"EIO": "abc"}, "Unsupported protocol version"),
    ],
)
async def test_errors(calm: Server, query: dict[str, str], message: str) -> None:
    """A handshake that is none of the protocol is refused with its text."""
    with pytest.raises(InvalidStatus) as refused:
        async with calm.websocket(PATH, **query):
            pass

    assert refused.value.response.status_code == 400
    assert refused.value.response.body == message.encode()


@pytest.mark.parametrize(
    "message",
    ["4hello", "4", "4h\u00e9llo \U0001f600\x1e", b"\x01\x02\x03\x04", b"", "4" + "x" * 999_999],
)
async def test_messages(calm: Server, message: str | bytes) -> None:
    """A message comes back as it was sent: a text with its type, binary as it is."""
    async with calm.websocket(PATH) as socket:
        await handshake(socket)
        await socket.send(message)

        assert await receive(socket) == message


@pytest.mark.parametrize("packet", ["abc", "", "7", "1", "2", "2probe"])
async def test_packets_that_end_a_session(calm: Server, packet: str) -> None:
    """A close packet, what is no packet, or a ping ends the connection and the session."""
    async with calm.websocket(PATH) as socket:
        sid = await handshake(socket)
        await socket.send(packet)

        assert await until_closed(socket) == 1000
    assert await calm.error(PATH, sid) == UNKNOWN


@pytest.mark.parametrize("packet", ["0", "5", "6", "3", "4next"])
async def test_packets_without_meaning(calm: Server, packet: str) -> None:
    """Packets that mean nothing here are passed over."""
    async with calm.websocket(PATH) as socket:
        await handshake(socket)
        await socket.send(packet)
        await socket.send("4next")

        assert await receive(socket) == "4next"


async def test_too_large(calm: Server) -> None:
    """A message beyond maxPayload ends the connection."""
    async with calm.websocket(PATH) as socket:
        await handshake(socket)
        await socket.send("4" + "x" * 1_000_000)

        assert await until_closed(socket) == 1009


async def test_client_leaves(calm: Server) -> None:
    """A session ends with its WebSocket."""
    async with calm.websocket(PATH) as socket:
        sid = await handshake(socket)
        assert await calm.error(PATH, sid) == BAD_REQUEST

    async def gone() -> bool:
        return await calm.error(PATH, sid) == UNKNOWN

    await eventually(gone)


async def test_client_that_does_not_read(calm: Server) -> None:
    """A client that sends and never reads is dropped before it costs much memory."""
    async with calm.websocket(PATH) as socket:
        sid = await handshake(socket)
        socket.transport.pause_reading()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send("4" + "x" * 900_000)
        socket.transport.abort()

    assert await calm.error(PATH, sid) == UNKNOWN


async def test_ping_and_pong(lively: Server) -> None:
    """A ping comes each interval, as long as pongs come."""
    async with lively.websocket(PATH) as socket:
        await handshake(socket)
        for _ in range(3):
            assert await socket.recv() == "2"
            await socket.send("3")


async def test_ping_timeout(strict: Server) -> None:
    """A client without a pong is closed, after one ping."""
    async with strict.websocket(PATH) as socket:
        sid = await handshake(socket)

        assert await socket.recv() == "2"
        assert await until_closed(socket) == 1000
    assert await strict.error(PATH, sid) == UNKNOWN


async def test_upgrade(calm: Server) -> None:
    """A poll that waits is ended by a noop when a WebSocket probes; then all goes through that."""
    sid = await calm.open(PATH)
    poll = asyncio.create_task(calm.poll(PATH, sid))

    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        assert await receive(socket) == "3probe"
        assert await poll == "6"
        await socket.send("5")
        await socket.send("4hello")

        assert await receive(socket) == "4hello"


async def test_poll_after_a_probe(calm: Server) -> None:
    """A poll between probe and upgrade is ended by a noop."""
    sid = await calm.open(PATH)

    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        await receive(socket)

        assert await calm.poll(PATH, sid) == "6"


async def test_messages_during_an_upgrade(calm: Server) -> None:
    """What is sent by POST before the upgrade comes by poll or after it, in order, and once."""
    sid = await calm.open(PATH)

    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        await receive(socket)
        await calm.post(PATH, sid, "4one\x1e4two")
        assert await calm.poll(PATH, sid) == "4one\x1e4two"
        await calm.post(PATH, sid, "4three\x1ebAQIDBA==")
        await socket.send("5")
        await socket.send("4four")

        assert [await receive(socket) for _ in range(3)] == ["4three", b"\x01\x02\x03\x04", "4four"]


async def test_http_after_an_upgrade(calm: Server) -> None:
    """A session that was upgraded is not spoken to by HTTP; it lives on."""
    sid = await calm.open(PATH)

    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        await socket.send("5")
        await socket.send("4ready")
        assert [await receive(socket) for _ in range(2)] == ["3probe", "4ready"]

        assert await calm.error(PATH, sid) == BAD_REQUEST
        assert (await calm.post(PATH, sid, "4x")).json() == BAD_REQUEST
        await socket.send("4hello")
        assert await receive(socket) == "4hello"


@pytest.mark.parametrize("complete", [True, False], ids=["upgraded", "upgrading"])
async def test_second_websocket(calm: Server, complete: bool) -> None:  # noqa: FBT001 - a parameter
    """A second WebSocket for a session is closed, and the first does not notice."""
    sid = await calm.open(PATH)

    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        await receive(socket)
        if complete:
            await socket.send("5")
            await socket.send("4hello")
            assert await receive(socket) == "4hello"
        async with calm.websocket(PATH, sid=sid) as second:
            assert await until_closed(second) == 1000
        if not complete:
            await socket.send("5")

        await socket.send("4hello")
        assert await receive(socket) == "4hello"


@pytest.mark.parametrize("packets", [["5"], ["2"], ["4hello"], ["abc"], ["2probe", "4hello"]])
async def test_failed_upgrade(calm: Server, packets: list[str]) -> None:
    """A WebSocket that does not probe and then upgrade is closed; polling goes on."""
    sid = await calm.open(PATH)
    async with calm.websocket(PATH, sid=sid) as socket:
        for packet in packets:
            await socket.send(packet)
        assert await until_closed(socket) == 1000

    await calm.post(PATH, sid, "4hello")
    assert await calm.poll(PATH, sid) == "4hello"
    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        assert await receive(socket) == "3probe"


async def test_lost_upgrade(calm: Server) -> None:
    """A WebSocket that is lost before it took over costs nothing; polling goes on."""
    sid = await calm.open(PATH)
    async with calm.websocket(PATH, sid=sid) as socket:
        await socket.send("2probe")
        await receive(socket)
        socket.transport.abort()

    await calm.post(PATH, sid, "4hello")
    assert await calm.poll(PATH, sid) == "4hello"
