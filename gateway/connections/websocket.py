"""WebSockets under uvicorn: it takes the handshake, then the connection belongs to a link of ours.

After the handshake an ASGI application would hold a task and a queue for each connection, and
would send one frame at a time through several layers. The link holds neither: what comes in is
handed over as it is read, and what goes out is finished bytes, many frames in one write.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from gateway.connections.keepalive import KeepaliveSweep
from gateway.protocols.websocket_frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    WebSocketError,
    close_code,
    close_frame,
    frame,
)
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

log = logger(__name__)

ADOPT: Final = "parley.adopt"
"""The ASGI extension: after `accept`, hands the connection to a receiver; see `Adopt`."""

PendingWork = Coroutine[Any, Any, Any]
"""What is still to be done about a message; the client's next one waits for it."""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds a client has to answer a close frame, and to take what was written before it."""


class Receiver(Protocol):
    """Whoever a link brings a client's messages to. None of these may raise."""

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Take a message; a text is valid UTF-8.

        Returns:
            None once it is handled, or what is to be awaited before the next one.
        """

    def writable(self) -> None:
        """The link takes more again."""

    def lost(self) -> None:
        """The connection has ended; nothing comes after this."""


class WebSocketLink(asyncio.Protocol):
    """A client's open WebSocket (RFC 6455).

    Each message is handed over after the one before is handled. There is a task only while one
    has to wait for something; meanwhile no more are read.

    Attributes:
        writable: whether the client takes what is written; else it only fills this process.
    """

    __slots__ = (
        "_answer",
        "_closing",
        "_connections",
        "_handling",
        "_loop",
        "_pinged",
        "_reader",
        "_receiver",
        "_sweep_part",
        "_timer",
        "_transport",
        "_unhandled",
        "writable",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        make_receiver: "Callable[[WebSocketLink], Receiver]",
        connections: set[Any],
        limit: int,
        sweep: KeepaliveSweep,
        answer: bytes = b"",
    ) -> None:
        """Begin after the handshake.

        Args:
            transport: the connection.
            make_receiver: makes what gets all that comes in.
            connections: uvicorn's own set, through which it ends its connections.
            limit: bytes of a message at the most.
            sweep: on which it is looked whether the client is there.
            answer: to the handshake; it leaves with what the receiver writes in this turn of the
                event loop, or alone at its end.
        """
        self._answer = answer
        self._transport = transport
        self._connections = connections
        self._reader = FrameReader(limit)
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._pinged = False
        self.writable = True
        self._timer: asyncio.TimerHandle | None = None
        self._sweep_part = sweep.join(self)
        self._unhandled: deque[tuple[bytes, bool]] = deque()
        self._handling: asyncio.Task[None] | None = None
        self._receiver = make_receiver(self)
        connections.add(self)
        transport.set_protocol(self)
        if answer:
            self._loop.call_soon(self._begin)

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one go; nothing goes out behind a close frame."""
        if not self._closing:
            if self._answer:
                frames, self._answer = [self._answer, *frames], b""
            self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def close(self, code: int, reason: str = "") -> None:
        """End the connection as the protocol does: the client has a few seconds to agree."""
        if not self._closing:
            self._begin_to_close(close_frame(code, reason))

    def abort(self) -> None:
        """Drop the connection at once, whatever is unsent."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand over what these bytes complete."""
        self._pinged = False
        for opcode, payload in self._reader.feed(data):
            if opcode < CLOSE:
                if not self._closing:
                    self._hand_over(payload, text=opcode == TEXT)
            elif opcode == PING:
                # Whoever takes nothing need not be told that we are here; section 5.5.3 asks for
                # an answer to the last ping only.
                if self.writable:
                    self.write([frame(PONG, payload)])
            elif opcode == CLOSE:
                self._closed_by_peer(payload)
        if failure := self._reader.failure:
            self._fail(failure)

    def pause_writing(self) -> None:
        """The client is behind."""
        self.writable = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writable = True
        self._receiver.writable()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Tell the receiver; it is the last that it hears."""
        if self._timer is not None:
            self._timer.cancel()
        self._sweep_part.discard(self)
        self._connections.discard(self)
        self._closing = True
        self._unhandled.clear()
        self._receiver.lost()

    def shutdown(self) -> None:
        """End because the server stops; uvicorn calls this."""
        self.close(CloseCode.SERVICE_RESTART)
        self._transport.close()

    def _hand_over(self, data: bytes, *, text: bool) -> None:
        if self._handling is not None:
            self._unhandled.append((data, text))
        elif later := self._receiver.received(data, text=text):
            self._transport.pause_reading()
            self._handling = self._loop.create_task(self._handle(later))

    async def _handle(self, later: PendingWork | None) -> None:
        try:
            while later is not None:
                await later
                later = None
                while self._unhandled and later is None:
                    data, text = self._unhandled.popleft()
                    later = self._receiver.received(data, text=text)
        except Exception:
            self._unhandled.clear()
            log.exception("message not handled")
        finally:
            self._handling = None
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _begin(self) -> None:
        if self._answer:
            self.write([])

    def sweep(self) -> None:
        """Drop a client that said nothing since it was asked; ask whether it is there."""
        if self._pinged:
            self._transport.abort()
            return
        self._pinged = True
        self.write([frame(PING, b"")])

    def _closed_by_peer(self, payload: bytes) -> None:
        if not self._closing:
            try:
                self._begin_to_close(close_frame(close_code(payload)))
            except WebSocketError as error:
                self._fail(error)
        self._transport.close()

    def _fail(self, error: WebSocketError) -> None:
        if not self._closing:
            self._begin_to_close(close_frame(error.code, str(error)))
            # Not closed yet: with bytes of the client unread that would be a reset, which takes
            # the close frame back. What still comes is read and passed over.
            if self._transport.can_write_eof():
                self._transport.write_eof()

    def _begin_to_close(self, last: bytes) -> None:
        self.write([last])
        self._closing = True
        self._sweep_part.discard(self)
        self._timer = self._loop.call_later(CLOSE_TIMEOUT_SECONDS, self._transport.abort)


Adopt = Callable[[Callable[[WebSocketLink], Receiver]], None]
"""Hands an accepted connection over; the application returns right after it."""
