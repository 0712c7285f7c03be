"""A live Engine.IO session: the protocol's state, tied to its requests, its timer and its clock."""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Receive, Scope

from gateway.protocols.engineio_errors import EngineError, ErrorCode, Request, Transport
from gateway.protocols.engineio_packets import Binary, Packet, PacketError
from gateway.protocols.engineio_session import Session
from gateway.protocols.engineio_settings import EngineSettings


class HungUp(Exception):
    """The client closed the connection of a request that was under way."""


class Application(Protocol):
    """What is served over Engine.IO. It is called for one packet of a session after the other."""

    def on_open(self, session: "EngineSession", scope: Scope) -> None:
        """A session has begun, with this request (ASGI); it may be sent to."""
        ...

    async def on_packet(self, session: "EngineSession", message: str | Binary) -> None:
        """Take a message. The client is read no further, or its POST answered, until it returns.

        Raises:
            PacketError: it is malformed; the session is closed.
        """
        ...

    def on_close(self, session: "EngineSession", reason: str) -> None:
        """A session has ended: nothing that is sent now reaches its client."""
        ...


class EngineSession:
    """What an application sees of a session.

    Attributes:
        query: the parameters of the request that opened it.
        state: whatever the application keeps with it.
        drop: ends its WebSocket soon, whether or not the client reads; None while it polls.
        engine: the state of the protocol.
        wanted: awaited by whoever writes its WebSocket: set when there is something to do.
    """

    __slots__ = (
        "_application",
        "_flushing",
        "_forget",
        "_loop",
        "_poll",
        "_timer",
        "_told",
        "drop",
        "engine",
        "query",
        "state",
        "wanted",
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
        self.engine = Session(sid, transport, settings, self._loop.time())
        self.query = request.query
        self.state: Any = None
        self.drop: Callable[[], object] | None = None
        self.wanted = asyncio.Event()
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
        if engine.transport == "websocket" and not engine.closed:
            self.wanted.set()
        elif not self._flushing and (engine.polled or engine.closed):
            self._flushing = True
            self._loop.call_soon(self.settle)

    def close(self, reason: str = "forced close") -> None:
        """End it, after what waits has been sent."""
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
        if engine.transport == "websocket":
            self.wanted.set()
        if engine.closed and not self._told:
            self._told = True
            if self.drop is not None:
                self.drop()
            self._application.on_close(self, engine.closed)
        if engine.gone:
            self._forget(self.sid)
            if self._timer is not None:
                self._timer.cancel()
        else:
            self._arm()

    async def receive(self, packet: Packet) -> None:
        """Take a packet of the client, and have the application take it.

        Raises:
            PacketError: the session is closed.
        """
        message = self.engine.receive(packet, self.now)
        if message is None:
            return
        try:
            await self._application.on_packet(self, message)
        except PacketError:
            self.close("parse error")
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
