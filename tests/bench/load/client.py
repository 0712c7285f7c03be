"""A client of the load generator: what all dialects share."""

import asyncio
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from tests.bench.load.room import Room

ANSWER_TIMEOUT_SECONDS = 20.0
"""Seconds a server may take to answer, while it takes in many."""


class Client(WSListener):
    """One connection, in one room.

    A subclass says how a system is spoken to. Every delivery is checked: it must hold the text
    of the message of this room that comes next, or, with systems that promise no order, of one
    after it that has not come yet.

    Attributes:
        next: the number of the first message it does not have.
        ahead: the numbers of those it has beyond.
        latest: its last delivery, which says where to resume from.
    """

    kind = WSMsgType.TEXT

    def __init__(self, user: str, room: Room) -> None:
        self.user = user
        self.room = room
        self.next = 0
        self.ahead: set[int] = set()
        self.latest = b""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: Any = None
        room.members.append(self)

    async def connect(self, endpoint: str) -> None:
        """Connect, and send the user's name if the dialect has a request for it."""
        await ws_connect(
            lambda: self,
            self.address(endpoint),
            websocket_handshake_timeout=ANSWER_TIMEOUT_SECONDS,
            read_buffer_init_size=4096,
        )
        await self.enter()

    def address(self, endpoint: str) -> str:
        """The URL to connect to, of the node `ws://host:port`."""
        raise NotImplementedError

    async def enter(self) -> None:
        """Do what the dialect needs between the WebSocket handshake and the first request."""

    async def create(self, name: str) -> None:
        """Make a room, where rooms must be made; its first member does."""

    async def join(self) -> None:
        """Become a member of the room."""
        raise NotImplementedError

    async def resume(self) -> None:
        """After a reconnect, become a member again, and get missed messages."""
        raise NotImplementedError

    def packet(self, text: str) -> bytes:
        """The frame that posts a text to the room."""
        raise NotImplementedError

    def post(self, text: str) -> None:
        """Post a text to the room."""
        self._transport.send(self.kind, self.packet(text))

    def take(self, data: bytes) -> None:
        """Check a delivery, and count it."""
        number = self.next
        room = self.room
        self.latest = data
        if number < len(room.texts) and room.texts[number] in data:
            self.next = number + 1
            if self.ahead:
                self._catch_up()
        else:
            number = self._out_of_order(data)
            if number < 0:
                return
        room.left[number] -= 1
        if room.latencies is not None:
            room.arrived(number)
        if not room.left[number]:
            room.complete(number)

    def _out_of_order(self, data: bytes) -> int:
        """Take a message before its turn: its number, or -1 for none that may come."""
        room = self.room
        number = room.number_in(data)
        if number < 0:
            room.wrong(self.user, self.next, data)
            return -1
        if number < self.next or number in self.ahead:
            room.duplicates += 1
            return -1
        room.out_of_order += 1
        self.ahead.add(number)
        return number

    def _catch_up(self) -> None:
        while self.next in self.ahead:
            self.ahead.remove(self.next)
            self.next += 1

    async def ask(self, frame: bytes) -> bytes:
        """Send a request, and wait for its answer."""
        answer = self.answer()
        self._transport.send(self.kind, frame)
        return await answer

    async def answer(self) -> bytes:
        """Wait for an answer."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection without a goodbye."""
        self._transport.disconnect(graceful=False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_disconnected(self, _: WSTransport) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        raise NotImplementedError
