"""A live Engine.IO session: the protocol's state, with its requests, its WebSocket and its timer.

`EngineProtocol` decides without I/O; `EngineSession` calls it and carries out what it decided.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Receive, Scope

from gateway.connections.intake import Intake
from gateway.connections.link import PendingWork
from gateway.endpoints.socketio.carrier import Socket
from gateway.protocols.engineio.errors import EngineError, ErrorCode, Request, Transport
from gateway.protocols.engineio.packets import Binary, Packet, PacketError
from gateway.protocols.engineio.session import EngineProtocol
from gateway.protocols.engineio.settings import LOW_WATER_BYTES, EngineSettings
from gateway.protocols.websocket_frames import payloads
from shared.protocol.closes import CloseCode


class Application(Protocol):
    """The application that is served over Engine.IO. Its calls for one session never overlap."""

    def on_open(self, session: "EngineSession", scope: Scope) -> None:
        """Begin a session, opened by this request (ASGI). Packets may be sent to it at once."""
        ...

    def on_packet(self, session: "EngineSession", message: str | Binary) -> PendingWork | None:
        """Handle a message of the client.

        Returns:
            None once the message is handled, or work to await before the client's next one.

        Raises:
            PacketError: the message is malformed. The session is closed.
        """
        ...

    def on_close(self, session: "EngineSession", reason: str) -> None:
        """End a session. What is sent from now on does not reach its client."""
        ...


class ClientHungUp(Exception):
    """The client closed the connection of a request before its answer."""


class EngineSession:
    """An Engine.IO session, as an application uses it.

    Attributes:
        query: the query parameters of the request that opened the session.
        address: the client's address.
        authorization: the `Authorization` header of that request, if the application keeps it.
        state: the application's own data for this session.
        engine: the state of the protocol.
        socket: the session's WebSocket, also one that is about to take over from polling.
        on_writable: called when the client has read what it was sent, possibly more than once.
        intake: the budget of what the client sends, by either transport; None for none.
    """

    __slots__ = (
        "_application",
        "_close_reported",
        "_flush_scheduled",
        "_forget",
        "_loop",
        "_paying",
        "_poll",
        "_timer",
        "_timer_at",
        "address",
        "authorization",
        "engine",
        "intake",
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
        intake: Intake | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        transport: Transport = "websocket" if request.upgrade else "polling"
        self.engine = EngineProtocol(sid, transport, settings, self._loop.time())
        self.query = request.query
        self.address = request.address
        self.intake = intake
        self.authorization: str | None = None
        self.state: Any = None
        self.socket: Socket | None = None
        self.on_writable: Callable[[], None] | None = None
        self._application = application
        self._forget = forget
        # True while a GET pays, before it counts as a poll that waits.
        self._paying = False
        self._poll: asyncio.Future[bytes] | None = None
        # No TimerHandle, which knows its time: for one that is past uvloop makes a plain handle.
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0
        self._close_reported = False
        self._flush_scheduled = False

    @property
    def sid(self) -> str:
        """The session's id, which requests name. Only its client knows it."""
        return self.engine.sid

    @property
    def transport(self) -> Transport:
        """The transport in use."""
        return self.engine.transport

    @property
    def now(self) -> float:
        """The event loop's time, in seconds."""
        return self._loop.time()

    def send(self, *packets: bytes) -> None:
        """Send finished packets: texts with their type (`b"4hello"`), or `Binary`.

        All packets of a turn leave together. A client that leaves too much unread is closed.
        """
        engine = self.engine
        engine.send(*packets)
        if not self._flush_scheduled and (self.socket or engine.poll_pending or engine.closed):
            self._flush_scheduled = True
            self._loop.call_soon(self.flush)

    @property
    def writable(self) -> bool:
        """True if the client has read what it was sent."""
        return not self.engine.closed and not self.engine.unsent and self._can_write

    @property
    def _can_write(self) -> bool:
        return self.transport == "polling" or (self.socket is not None and self.socket.can_write)

    @property
    def low(self) -> bool:
        """True if little waits for the client, here and in its WebSocket."""
        return self.engine.unsent <= LOW_WATER_BYTES and self._can_write

    def write(self, frames: list[bytes]) -> None:
        """Send packets that are framed as WebSocket texts, over either transport."""
        if self.socket is not None and self.transport == "websocket" and not self.engine.unsent:
            if not self.engine.closed:
                self.socket.write(frames)
        else:
            # All or none: only a session that has too much to read already is ended by them.
            self.send(*[packet for framed in frames for packet in payloads(framed)])

    def abort(self) -> None:
        """End the session and its connection at once. Unsent packets are lost."""
        self.fail("transport error")
        if self.socket is not None:
            self.socket.abort()

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "forced close") -> None:  # noqa: ARG002
        """End the session after its packets are sent. Engine.IO has no close codes."""
        self.engine.close(self.now, reason)
        self.flush()

    def fail(self, reason: str) -> None:
        """End the session at once."""
        self.engine.fail(reason)
        self.flush()

    def expire_in(self, seconds: float | None) -> None:
        """End the session after this many seconds; None for never."""
        if not self.engine.closed:
            self.engine.expires = math.inf if seconds is None else self.now + seconds
            self._arm()

    def tick_if_due(self) -> None:
        """Do what is due, in case the timer is late: for a request that is about to be handled."""
        if self.now >= self.engine.deadline:
            self._tick_now()

    def flush(self) -> None:
        """Send what waits, report an end to the application, and set the timer.

        To be called after every change of `engine`. `EngineProtocol` only records what is to
        happen: without this call a poll would stay unanswered until the next timer.
        """
        self._flush_scheduled = False
        engine = self.engine
        if self._poll is not None and not self._poll.done():
            self._answer(self._poll)
        if self.socket is not None:
            self._flush_socket(self.socket)
        if engine.closed and not self._close_reported:
            self._close_reported = True
            self._application.on_close(self, engine.closed)
        if engine.gone:
            self._forget(self.sid)
            if self._timer is not None:
                self._timer.cancel()
        else:
            self._arm()
        if self.on_writable is not None and self.writable:
            self.on_writable()

    def _flush_socket(self, socket: Socket) -> None:
        """Send what waits over the WebSocket; close it after a failed upgrade or at the end."""
        engine = self.engine
        if engine.transport == "websocket":
            if engine.unsent and (socket.can_write or engine.closed):
                socket.send(engine.take())
            if engine.closed:
                socket.close()
        elif not engine.upgrading:
            self.socket = None
            socket.close()

    def receive(self, packet: Packet) -> PendingWork | None:
        """Handle a packet of the client; a message goes to the application.

        Returns:
            Work to await before the next packet, or None.

        Raises:
            PacketError: the packet is malformed or out of place. The session is closed.
        """
        message = self.engine.receive(packet, self.now)
        if message is None:
            return None
        try:
            work = self._application.on_packet(self, message)
        except PacketError:
            self.close(reason="parse error")
            raise
        except BaseException:
            self.fail("server error")
            raise
        return None if work is None else self._finish(work)

    async def _finish(self, work: PendingWork) -> None:
        try:
            await work
        except PacketError:
            self.close(reason="parse error")
            raise
        except BaseException:
            self.fail("server error")
            raise

    async def poll(self, receive: Receive) -> bytes:
        """Handle a GET; return the body of its answer once it is paid for and there are packets.

        Raises:
            PacketError: another GET waits. The session is closed.
            EngineError: the session has ended, or a WebSocket has taken over, meanwhile.
            ClientHungUp: the client closed the connection. The session is closed.
        """
        if not self.engine.poll_pending:
            await self._pay_for_poll()
        try:
            self.engine.poll(self.now)
            body = self.engine.answer(self.now)
        finally:
            self.flush()  # if this poll is refused, the one that waited is answered, too
        return await self._wait_for_packets(receive) if body is None else body

    async def _pay_for_poll(self) -> None:
        if self._paying:  # else any number of GETs could wait while the client owes something
            self.fail("transport error")
            raise PacketError("a second poll while one waits")
        self._paying = True
        try:
            await pay(self.intake, 0, 1)
        finally:
            self._paying = False
        if self.engine.gone:
            raise EngineError(ErrorCode.UNKNOWN_SID)
        if self.transport == "websocket":
            raise EngineError(ErrorCode.BAD_REQUEST)

    async def _wait_for_packets(self, receive: Receive) -> bytes:
        poll: asyncio.Future[bytes] = self._loop.create_future()
        self._poll = poll
        hung_up = self._loop.create_task(_wait_for_disconnect(receive))
        self.flush()
        try:
            await asyncio.wait((poll, hung_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            hung_up.cancel()
            self._poll = None
            if not poll.done():
                self.engine.poll_lost()
                self.flush()
        if not poll.done():
            raise ClientHungUp
        return poll.result()

    def _answer(self, poll: asyncio.Future[bytes]) -> None:
        if self.engine.transport == "websocket":
            poll.set_exception(EngineError(ErrorCode.BAD_REQUEST))
        elif (body := self.engine.answer(self.now)) is not None:
            poll.set_result(body)

    def _arm(self) -> None:
        deadline = self.engine.deadline
        if self._timer is not None:
            if self._timer_at <= deadline:
                return  # it finds nothing due, and is set again: cheaper than a new timer each time
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(deadline, self._tick), deadline

    def _tick(self) -> None:
        self._timer = None
        self._tick_now()

    def _tick_now(self) -> None:
        if self.intake is not None:
            # The monotonic time is also the event loop's.
            self.engine.excuse(self.intake.waits_until)
        self.engine.tick(self.now)
        self.flush()


async def pay(intake: Intake | None, size: int, packets: int) -> None:
    """Pay for what a request brings, and wait until nothing is owed.

    Args:
        intake: the budget of the client; None for none.
        size: the bytes of the request's body.
        packets: the packets in it; a GET counts as one.
    """
    seconds = intake.take(size, packets) if intake else 0.0
    while intake and seconds:
        await asyncio.sleep(seconds)
        seconds = intake.wait()


async def _wait_for_disconnect(receive: Receive) -> None:
    with contextlib.suppress(OSError):
        while (await receive())["type"] != "http.disconnect":
            pass
