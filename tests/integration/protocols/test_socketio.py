"""Socket.IO 5 over both transports."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.integration.protocols.conftest import UNKNOWN, Server, receive, until_closed

PATH = "/socket.io/"
ONE = '{"_placeholder":true,"num":0}'
TWO = '{"_placeholder":true,"num":1}'


class Wire(Protocol):
    """A session, whichever transport carries it; a binary message is `bytes`."""

    async def send(self, *messages: str | bytes) -> None:
        """Send messages."""

    async def receive(self) -> str | bytes:
        """The next message."""

    async def is_closed(self) -> bool:
        """Wait until the server has closed it; what else it says is passed over."""


class OverWebSocket:
    """A session on a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, *messages: str | bytes) -> None:
        """Send each in its own frame; the server may close before it has all of them."""
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await self._socket.send(message)

    async def receive(self) -> str | bytes:
        """The next message."""
        return await receive(self._socket)

    async def is_closed(self) -> bool:
        """Wait for the close frame."""
        return await until_closed(self._socket) == 1000


class OverPolling:
    """A session on HTTP long-polling."""

    def __init__(self, server: Server, sid: str) -> None:
        self._server = server
        self._sid = sid
        self._received: list[str] = []

    async def send(self, *messages: str | bytes) -> None:
        """Send all in one POST."""
        parts = [m if isinstance(m, str) else "b" + _base64(m) for m in messages]
        await self._server.post(PATH, self._sid, "\x1e".join(parts))

    async def receive(self) -> str | bytes:
        """The next message."""
        while not self._received:
            self._received += (await self._server.poll(PATH, self._sid)).split("\x1e")
        message = self._received.pop(0)
        return _unbase64(message[1:]) if message.startswith("b") else message

    async def is_closed(self) -> bool:
        """Wait for the close packet, after which there is no session."""
        while (await self.receive()) != "1":
            pass
        return await self._server.error(PATH, self._sid) == UNKNOWN


Dial = Callable[[], AbstractAsyncContextManager[Wire]]


@pytest.fixture(params=["websocket", "polling"])
def dial(request: pytest.FixtureRequest, calm: Server) -> Dial:
    """Opens a session of each transport."""

    @contextlib.asynccontextmanager
    async def open_websocket() -> AsyncIterator[Wire]:
        async with calm.websocket(PATH) as socket:
            await receive(socket)
            yield OverWebSocket(socket)

    @contextlib.asynccontextmanager
    async def open_polling() -> AsyncIterator[Wire]:
        yield OverPolling(calm, await calm.open(PATH))

    return open_websocket if request.param == "websocket" else open_polling


async def connected(wire: Wire, namespace: str = "") -> None:
    """Connect to a namespace."""
    await wire.send(f"40{namespace}")
    sid(await wire.receive(), namespace)
    assert await wire.receive() == f'42{namespace}["auth",{{}}]'


def sid(answer: str | bytes, namespace: str = "") -> str:
    """Read the answer to a CONNECT: the socket's id."""
    assert isinstance(answer, str)
    payload = json.loads(answer.removeprefix(f"40{namespace}"))
    assert list(payload) == ["sid"]
    found: str = payload["sid"]
    return found


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize("payload", ["", '{"token":"123"}'])
async def test_connect(dial: Dial, namespace: str, payload: str) -> None:
    """A CONNECT is answered with an id, and its payload reaches the application."""
    async with dial() as wire:
        await wire.send(f"40{namespace}{payload}")

        assert sid(await wire.receive(), namespace)
        assert await wire.receive() == f'42{namespace}["auth",{payload or "{}"}]'


async def test_ids(calm: Server) -> None:
    """The id that a client learns is not its session's, which is a secret between two."""
    session = await calm.open(PATH)
    wire = OverPolling(calm, session)
    await wire.send("40")
    main = sid(await wire.receive())
    await wire.receive()
    await wire.send("40/custom,")
    custom = sid(await wire.receive(), "/custom,")

    assert len({session, main, custom}) == 3


async def test_connect_error(dial: Dial) -> None:
    """An unknown namespace is refused with a message; the client may connect to another."""
    async with dial() as wire:
        await wire.send("40/random")

        assert await wire.receive() == '44/random,{"message":"Invalid namespace"}'
        await connected(wire)


async def test_event(dial: Dial) -> None:
    """An EVENT reaches the application with all its arguments, and so does its answer."""
    async with dial() as wire:
        await connected(wire)

        await wire.send('42["message",1,"2",{"3":[true,null,0.5,"h\u00e9 \U0001f600"]}]')

        assert (
            await wire.receive()
            == '42["message-back",1,"2",{"3":[true,null,0.5,"h\u00e9 \U0001f600"]}]'
        )


async def test_events_in_order(dial: Dial) -> None:
    """Many events are answered in their order."""
    async with dial() as wire:
        await connected(wire)

        await wire.send(*(f'42["message",{number}]' for number in range(100)))

        for number in range(100):
            assert await wire.receive() == f'42["message-back",{number}]'


async def test_ack(dial: Dial) -> None:
    """An EVENT with an id is acknowledged with that id."""
    async with dial() as wire:
        await connected(wire)

        await wire.send('42456["message-with-ack",1,"2",{"3":[false]}]', '420["message-with-ack"]')

        assert await wire.receive() == '43456[1,"2",{"3":[false]}]'
        assert await wire.receive() == "430[]"


async def test_binary_event(dial: Dial) -> None:
    """A BINARY_EVENT keeps its attachments, wherever they stand."""
    async with dial() as wire:
        await connected(wire)

        await wire.send(f'452-["message",{{"a":[{ONE}]}},{TWO}]', b"\x01\x02\x03", b"")

        assert await wire.receive() == f'452-["message-back",{{"a":[{ONE}]}},{TWO}]'
        assert [await wire.receive(), await wire.receive()] == [b"\x01\x02\x03", b""]


async def test_binary_ack(dial: Dial) -> None:
    """A BINARY_EVENT with an id is acknowledged by a BINARY_ACK."""
    async with dial() as wire:
        await connected(wire)

        await wire.send(
            f'452-789["message-with-ack",{ONE},{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06"
        )

        assert await wire.receive() == f"462-789[{ONE},{TWO}]"
        assert [await wire.receive(), await wire.receive()] == [b"\x01\x02\x03", b"\x04\x05\x06"]


async def test_acknowledgements_that_nobody_awaits(dial: Dial) -> None:
    """An ACK, or BINARY_ACK, to no question is passed over."""
    async with dial() as wire:
        await connected(wire)

        await wire.send("4312[]", f"461-13[{ONE}]", b"x", '42["message"]')

        assert await wire.receive() == '42["message-back"]'


async def test_namespaces_share_a_session(dial: Dial) -> None:
    """A client is in several namespaces at a time, and leaves one without the others."""
    async with dial() as wire:
        await connected(wire)
        await connected(wire, "/custom,")

        await wire.send("41/custom,", '42["message","main"]')

        assert await wire.receive() == '42["message-back","main"]'
        await connected(wire, "/custom,")


async def test_disconnect(dial: Dial) -> None:
    """A client that has left its last namespace may connect again."""
    async with dial() as wire:
        await connected(wire)
        await wire.send("41")

        await connected(wire)


async def test_disconnect_keeps_the_connection(lively: Server) -> None:
    """A client that has left its last namespace still has its connection, and its pings."""
    async with lively.websocket(PATH) as socket:
        await receive(socket)
        await socket.send("40")
        assert sid(await receive(socket))
        await receive(socket)
        await socket.send("41")

        assert await socket.recv() == "2"


OUT_OF_PLACE = ['42["message"]', "43[]", "4312[]", "41", '42/custom,["message"]']
MALFORMED = [
    "4",
    "4abc",
    "47",
    "40null",
    "40/custom,[]",
    '44{"message":"no"}',
    "41{}",
    "42",
    "42{}",
    "42[]",
    "42[null]",
    '42["connect"]',
    '42abc["message-with-ack",1]',
    '42["message"',
    '42["message",1e999]',
    '42["message",' + "[" * 100_000 + "]" * 100_000 + "]",
    "43[]",
    "4312{}",
    '45["message"]',
    '450-["message"]',
    '4511-["message"]',
    f'46-["message",{ONE}]',
    "40",
    '42/custom,["message"]',
]


@pytest.mark.parametrize("packet", OUT_OF_PLACE + MALFORMED[:7])
async def test_not_a_connect_first(dial: Dial, packet: str) -> None:
    """A session that begins with anything but a CONNECT is closed."""
    async with dial() as wire:
        await wire.send(packet)

        assert await wire.is_closed()


@pytest.mark.parametrize("packet", MALFORMED, ids=lambda text: text[:24])
async def test_malformed(dial: Dial, packet: str) -> None:
    """A malformed packet, or one out of place, closes the connection."""
    async with dial() as wire:
        await connected(wire)

        await wire.send(packet)

        assert await wire.is_closed()


@pytest.mark.parametrize(
    "messages",
    [
        (b"unannounced",),
        ('451-["message"]', b"x"),
        (f'451-["message",{TWO}]', b"x"),
        (f'451-["message",{ONE},{ONE}]', b"x"),
        (f'451-["message",{ONE}]', '42["message"]'),
        (f'451-["message",{ONE}]', b"x", b"too many"),
    ],
)
async def test_attachments_out_of_place(dial: Dial, messages: tuple[str | bytes, ...]) -> None:
    """Attachments follow their packet, all of them and no others."""
    async with dial() as wire:
        await connected(wire)

        await wire.send(*messages)

        assert await wire.is_closed()


async def test_what_came_before_is_answered(dial: Dial) -> None:
    """What was in order before a malformed packet is still answered."""
    async with dial() as wire:
        await connected(wire)

        await wire.send('420["message-with-ack","first"]', "4abc")

        assert await wire.receive() == '430["first"]'
        assert await wire.is_closed()


async def test_connect_timeout(lively: Server) -> None:
    """A session that connects to no namespace is closed, however alive its client is."""
    async with lively.websocket(PATH) as socket:
        await receive(socket)
        with pytest.raises(ConnectionClosed):
            await receive(socket)

        assert socket.close_code == 1000


async def test_connect_timeout_after_a_refusal(lively: Server) -> None:
    """A session whose only CONNECT was refused is closed too."""
    async with lively.websocket(PATH) as socket:
        await receive(socket)
        await socket.send("40/random")
        assert await receive(socket) == '44/random,{"message":"Invalid namespace"}'
        with pytest.raises(ConnectionClosed):
            await receive(socket)


async def test_session_survives_its_upgrade(calm: Server) -> None:
    """What a client was connected to by polling, it is connected to after the upgrade."""
    session = await calm.open(PATH)
    wire = OverPolling(calm, session)
    await connected(wire)

    async with calm.websocket(PATH, sid=session) as socket:
        await socket.send("2probe")
        assert await receive(socket) == "3probe"
        await wire.send('42["message","by POST"]')
        await socket.send("5")
        await socket.send('42["message","by WebSocket"]')

        assert await receive(socket) == '42["message-back","by POST"]'
        assert await receive(socket) == '42["message-back","by WebSocket"]'


def _base64(message: bytes) -> str:
    return base64.b64encode(message).decode()


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
