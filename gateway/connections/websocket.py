"""An open WebSocket after its handshake: reads the client's messages, writes finished frames.

Through ASGI each connection would hold a task and a queue, and each frame would be sent by itself
through several layers. The link has neither: a message goes to its receiver as it is read, and
many frames leave in one write (decision 005).
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
"""The ASGI extension that hands an accepted connection to a receiver; see `Adopt`."""

PendingWork = Coroutine[Any, Any, Any]
"""The rest of handling a message, to be awaited before the client's next message."""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds a client has to read what was written and to answer the close frame."""


class Receiver(Protocol):
    """The receiver of a client's messages. None of its methods may raise."""

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Handle a message. The bytes of a text are valid UTF-8.

        Returns:
            None once the message is handled, or work to await before the next one.
        """

    def unreadable(self, data: bytes) -> None:
        """Answer a text that is not UTF-8, if it says to whom; the link closes after it."""

    def writable(self) -> None:
        """Write more: the link takes frames again."""

    def lost(self) -> None:
        """Clean up: the connection has ended, and no other call follows."""


class WebSocketLink(asyncio.Protocol):
    """A client's open WebSocket (RFC 6455).

    A message is handed over once the one before it is handled. There is a task only while a
    message waits for something, and no more bytes are read meanwhile.

    Attributes:
        writable: True if the client reads what is written; else frames would fill this process.
    """

    __slots__ = (
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
        "_unsent_answer",
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
        """Take a connection over after its handshake.

        Args:
            transport: the connection.
            make_receiver: makes the receiver of the client's messages.
            connections: uvicorn's set of connections, which it shuts down at its end.
            limit: bytes that a message may have.
            sweep: checks that the client is still there.
            answer: the answer to the handshake. It leaves with the frames of this turn of the
                event loop, or alone at the end of the turn.
        """
        self._unsent_answer = answer
        self._transport = transport
        self._connections = connections
        self._reader = FrameReader(limit)
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._pinged = False
        self.writable = True
        self._timer: asyncio.TimerHandle | None = None
        self._sweep_part = sweep.add(self)
        self._unhandled: deque[tuple[bytes, bool]] = deque()
        self._handling: asyncio.Task[None] | None = None
        self._receiver = make_receiver(self)
        connections.add(self)
        transport.set_protocol(self)
        if answer:
            self._loop.call_soon(self._write_answer)

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one write; none after a close frame."""
        if not self._closing:
            if self._unsent_answer:
                frames, self._unsent_answer = [self._unsent_answer, *frames], b""
            self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame, and give the client a few seconds to answer with its own."""
        if not self._closing:
            self._begin_to_close(close_frame(code, reason))

    def abort(self) -> None:
        """Drop the connection at once. Unsent bytes are lost."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that these bytes complete."""
        self._pinged = False
        for opcode, payload in self._reader.feed(data):
            if opcode < CLOSE:
                if not self._closing:
                    self._hand_over(payload, text=opcode == TEXT)
            elif opcode == PING:
                # A client that sends pings and reads nothing would fill this process with pongs.
                # Section 5.5.3 asks for an answer to the last ping only.
                if self.writable:
                    self.write([frame(PONG, payload)])
            elif opcode == CLOSE:
                self._closed_by_peer(payload)
        if (failure := self._reader.failure) and not self._closing:
            if failure.text:
                self._receiver.unreadable(failure.text)
            self._close_after_failure(failure)

    def pause_writing(self) -> None:
        """Stop writing: the client reads more slowly than it is sent to. asyncio calls this."""
        self.writable = False

    def resume_writing(self) -> None:
        """Go on writing: the client has read enough. asyncio calls this."""
        self.writable = True
        self._receiver.writable()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Clean up, and tell the receiver."""
        if self._timer is not None:
            self._timer.cancel()
        self._sweep_part.discard(self)
        self._connections.discard(self)
        self._closing = True
        self._unhandled.clear()
        self._receiver.lost()

    def shutdown(self) -> None:
        """End the connection because the server stops. uvicorn calls this."""
        self.close(CloseCode.SERVICE_RESTART)
        self._transport.close()

    def _hand_over(self, data: bytes, *, text: bool) -> None:
        # Reading is paused while a message waits, but the same bytes may hold further messages. Say
        # they hold `joinRoom` and a `message` to that room: handled at once, the message would be
        # refused, as its sender is not in the room yet.
        if self._handling is not None:
            self._unhandled.append((data, text))
        elif work := self._receiver.received(data, text=text):
            self._transport.pause_reading()
            self._handling = self._loop.create_task(self._handle(work))

    async def _handle(self, work: PendingWork | None) -> None:
        try:
            while work is not None:
                await work
                work = None
                while self._unhandled and work is None:
                    data, text = self._unhandled.popleft()
                    work = self._receiver.received(data, text=text)
        except Exception:
            self._unhandled.clear()
            log.exception("a message could not be handled")
        finally:
            self._handling = None
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _write_answer(self) -> None:
        if self._unsent_answer:
            self.write([])

    def sweep(self) -> None:
        """Send a ping; drop a client that has sent nothing since the ping before."""
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
                self._close_after_failure(error)
        self._transport.close()

    def _close_after_failure(self, error: WebSocketError) -> None:
        if not self._closing:
            self._begin_to_close(close_frame(error.code, str(error)))
            # Only our side is closed. To close the socket while it has unread bytes of the client
            # would reset it, and the client would lose the close frame, with its code, that it has
            # not read yet. What the client still sends is read and dropped.
            if self._transport.can_write_eof():
                self._transport.write_eof()

    def _begin_to_close(self, packed_close: bytes) -> None:
        self.write([packed_close])
        self._closing = True
        self._sweep_part.discard(self)
        self._timer = self._loop.call_later(CLOSE_TIMEOUT_SECONDS, self._transport.abort)


Adopt = Callable[[Callable[[WebSocketLink], Receiver]], None]
"""Hands an accepted connection over to a receiver. The application returns right after it."""
