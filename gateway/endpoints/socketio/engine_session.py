"""A live Engine.IO session: the protocol's state, tied to its requests, its timer and its clock."""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Receive, Scope

from gateway.connections.websocket import PendingWork
from gateway.endpoints.socketio.carrier import Socket
from gateway.protocols.engineio.errors import EngineError, ErrorCode, Request, Transport
from gateway.protocols.engineio.packets import Binary, Packet, PacketError
from gateway.protocols.engineio.session import EngineProtocol
from gateway.protocols.engineio.settings import EngineSettings
from gateway.protocols.websocket_frames import payloads
from shared.protocol.closes import CloseCode


class Application(Protocol):
    """What is served over Engine.IO. It is called for one packet of a session after the other."""

    def on_open(self, session: "EngineSession", scope: Scope) -> None:
        """A session has begun, with this request (ASGI); it may be sent to."""
        ...

    def on_packet(self, session: "EngineSession", message: str | Binary) -> PendingWork | None:
        """Take a message.

        Returns:
            None once that is done, or what is to be awaited before the client is read further,
            or its POST answered.

        Raises:
            PacketError: it is malformed; the session is closed.
        """
        ...

    def on_close(self, session: "EngineSession", reason: str) -> None:
        """A session has ended: nothing that is sent now reaches its client."""
        ...


class HungUp(Exception):
    """The client closed the connection of a request that was under way."""


class EngineSession:
    """What an application sees of a session.

    Attributes:
        query: the parameters of the request that opened it.
        address: where that came from.
        authorization: the header of that request, where the application wants it.
        state: whatever the application keeps with it.
        engine: the state of the protocol.
        socket: its WebSocket, also while that is about to take over from polling.
        on_writable: called when the client took what it was sent; it may be called at any time.
    """

    __slots__ = (
        "_application",
        "_flushing",
        "_forget",
        "_loop",
        "_poll",
        "_timer",
        "_told",
        "address",
        "authorization",
        "engine",
        "on_writable",
        "query",
        "socket",
        "state",
    )

    def __init__(
        self,
        request: Request,
        sid: str,
        settings: EngineSettings,
        application: Application,
        forget: Callable[[str], object],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        transport: Transport = "websocket" if request.upgrade else "polling"
        self.engine = EngineProtocol(sid, transport, settings, self._loop.time())
        self.query = request.query
        self.address = request.address
        self.authorization: str | None = None
        self.state: Any = None
        self.socket: Socket | None = None
        self.on_writable: Callable[[], None] | None = None
        self._application = application
        self._forget = forget
        self._poll: asyncio.Future[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told = False
        self._flushing = False

    @property
    def sid(self) -> str:
        """Its id, which requests name; a secret of its client."""
        return self.engine.sid

    @property
    def transport(self) -> Transport:
        """What carries it now."""
        return self.engine.transport

    @property
    def now(self) -> float:
        """The time, in seconds."""
        return self._loop.time()

    def send(self, packet: bytes) -> None:
        """Send a finished packet: a text one with its type (`b"4hello"`), or `Binary`.

        All packets of a tick leave together. A client that leaves too much unread is closed.
        """
        engine = self.engine
        engine.send(packet)
        if not self._flushing and (self.socket or engine.polled or engine.closed):
            self._flushing = True
            self._loop.call_soon(self.settle)

    @property
    def writable(self) -> bool:
        """Whether the client took what it was sent."""
        if self.engine.closed or self.engine.unsent:
            return False
        return self.transport == "polling" or (self.socket is not None and self.socket.takes)

    def write(self, frames: list[bytes]) -> None:
        """Send packets that stand in the text frames of a WebSocket, whatever the transport."""
        if self.socket is not None and self.transport == "websocket" and not self.engine.unsent:
            if not self.engine.closed:
                self.socket.write(frames)
        else:
            for framed in frames:
                for packet in payloads(framed):
                    self.send(packet)

    def abort(self) -> None:
        """End it at once, whatever was not sent."""
        self.fail("transport error")
        if self.socket is not None:
            self.socket.abort()

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "forced close") -> None:  # noqa: ARG002
        """End it, after what waits has been sent; the protocol has no codes."""
        self.engine.close(self.now, reason)
        self.settle()

    def fail(self, reason: str) -> None:
        """End it at once."""
        self.engine.fail(reason)
        self.settle()

    def expire_in(self, seconds: float | None) -> None:
        """Let it end by itself after so many seconds; None for never."""
        if not self.engine.closed:
            self.engine.expires = math.inf if seconds is None else self.now + seconds
            self._arm()

    def look(self) -> None:
        """Do what is due: a request finds the session as it should be, however late timers are."""
        if self.now >= self.engine.deadline:
            self.engine.tick(self.now)
            self.settle()

    def settle(self) -> None:
        """Hand out what there is to hand out. To be called after everything that happened."""
        self._flushing = False
        engine = self.engine
        if self._poll is not None and not self._poll.done():
            self._answer(self._poll)
        if self.socket is not None:
            self._carry(self.socket)
        if engine.closed and not self._told:
            self._told = True
            self._application.on_close(self, engine.closed)
        if engine.gone:
            self._forget(self.sid)
            if self._timer is not None:
                self._timer.cancel()
        else:
            self._arm()
        if self.on_writable is not None and self.writable:
            self.on_writable()

    def _carry(self, socket: Socket) -> None:
        """Send by the WebSocket what waits; close one that did not take over, or has no more."""
        engine = self.engine
        if engine.transport == "websocket":
            if engine.unsent and (socket.takes or engine.closed):
                socket.send(engine.take())
            if engine.closed:
                socket.close()
        elif not engine.upgrading:
            self.socket = None
            socket.close()

    def receive(self, packet: Packet) -> PendingWork | None:
        """Take a packet of the client, and have the application take it.

        Returns:
            What is to be awaited before the next packet, if there is anything.

        Raises:
            PacketError: the session is closed.
        """
        message = self.engine.receive(packet, self.now)
        if message is None:
            return None
        try:
            later = self._application.on_packet(self, message)
        except PacketError:
            self.close(reason="parse error")
            raise
        except BaseException:
            self.fail("server error")
            raise
        return None if later is None else self._finish(later)

    async def _finish(self, later: PendingWork) -> None:
        try:
            await later
        except PacketError:
            self.close(reason="parse error")
            raise
        except BaseException:
            self.fail("server error")
            raise

    async def poll(self, receive: Receive) -> bytes:
        """Take a GET: the body of its answer.

        Raises:
            PacketError: another one waits; the session is closed.
            EngineError: a WebSocket has taken over meanwhile.
            HungUp: the client closed the connection; the session is closed.
        """
        try:
            self.engine.poll(self.now)
            body = self.engine.answer(self.now)
        finally:
            self.settle()  # the poll that waited is told if this one is refused
        return await self._hold(receive) if body is None else body

    async def _hold(self, receive: Receive) -> bytes:
        poll: asyncio.Future[bytes] = self._loop.create_future()
        self._poll = poll
        hung_up = self._loop.create_task(_hung_up(receive))
        self.settle()
        try:
            await asyncio.wait((poll, hung_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            hung_up.cancel()
            self._poll = None
            if not poll.done():
                self.engine.poll_lost()
                self.settle()
        if not poll.done():
            raise HungUp
        return poll.result()

    def _answer(self, poll: asyncio.Future[bytes]) -> None:
        if self.engine.transport == "websocket":
            poll.set_exception(EngineError(ErrorCode.BAD_REQUEST))
        elif (body := self.engine.answer(self.now)) is not None:
            poll.set_result(body)

    def _arm(self) -> None:
        deadline = self.engine.deadline
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return  # it looks again then
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self.engine.tick(self.now)
        self.settle()


async def _hung_up(receive: Receive) -> None:
    with contextlib.suppress(OSError):
        while (await receive())["type"] != "http.disconnect":
            pass
