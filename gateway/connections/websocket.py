"""An open WebSocket after its handshake: reads the client's messages, writes finished frames.

Through ASGI each connection would hold a task and a queue, and each frame would be sent by itself
through several layers. The link has neither: a message goes to its receiver as it is read, and
many frames leave in one write (decision 005).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from gateway.connections.intake import Intake
from gateway.connections.keepalive import KeepaliveSweep
from gateway.connections.link import PendingWork, Receiver
from gateway.protocols.websocket_frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    WebSocketError,
    close_code,
    close_frame,
    frame,
)
from gateway.protocols.websocket_reader import FrameReader
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

log = logger(__name__)

ADOPT: Final = "parley.adopt"
"""The ASGI extension that hands an accepted connection to a receiver; see `Adopt`."""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds a client has to read what was written and to answer the close frame."""


class WebSocketLink(asyncio.Protocol):
    """A client's open WebSocket (RFC 6455).

    A message is handed over once the one before it is handled. There is a task only while a
    message waits for something, and no more bytes are read meanwhile. Nor are they while the client
    owes for what it has sent, or has sent more than one turn of the event loop is to handle.

    Attributes:
        intake: the budget of what the client sends; None where rates are not limited.
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
        "_turn",
        "_unhandled",
        "_unread_at_ping",
        "_unsent_answer",
        "intake",
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
        intake: Intake | None = None,
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
            intake: the budget of what the client sends; None for none.
        """
        self.intake = intake
        self._unsent_answer = answer
        self._transport = transport
        self._connections = connections
        self._reader = FrameReader(limit)
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._pinged = False
        self._unread_at_ping = 0
        self.writable = True
        self._timer: asyncio.TimerHandle | None = None
        self._sweep_part = sweep.add(self)
        self._unhandled: deque[tuple[bytes, bool]] = deque()
        self._handling: asyncio.Task[None] | None = None
        # The turn of the event loop that goes on with what the client has sent, while none reads.
        self._turn: asyncio.Handle | None = None
        self._receiver = make_receiver(self)
        connections.add(self)
        transport.set_protocol(self)
        if answer:
            self._loop.call_soon(self._write_answer)

    @property
    def low(self) -> bool:
        """True if little waits here."""
        return self.writable

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
        self._read(data)

    def pause_writing(self) -> None:
        """Stop writing: the client reads more slowly than it is sent to. asyncio calls this."""
        self.writable = False

    def resume_writing(self) -> None:
        """Go on writing: the client has read enough. asyncio calls this."""
        self.writable = True
        self._pinged = False
        self._receiver.writable()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Clean up, and tell the receiver."""
        if self._timer is not None:
            self._timer.cancel()
        if self._turn is not None:
            self._turn.cancel()
        self._sweep_part.discard(self)
        self._connections.discard(self)
        self._closing = True
        self._unhandled.clear()
        self._receiver.lost()

    def shutdown(self) -> None:
        """End the connection because the server stops. uvicorn calls this."""
        self.close(CloseCode.SERVICE_RESTART)
        self._transport.close()

    def _read(self, data: bytes) -> None:
        """Pay for bytes, and read what one turn may of them. The rest waits for later turns.

        The messages of the turn are all handled before the next turn, so no more than these wait
        for a task that is under way.
        """
        paused, self._turn = self._turn is not None, None
        intake = self.intake
        # Nearly all reads are one frame; what is not is settled below.
        owes = intake.take(len(data), 1) if intake else 0.0
        for opcode, payload in self._reader.feed(data):
            if opcode < CLOSE:
                if not self._closing:
                    self._hand_over(payload, text=opcode == TEXT)
            elif opcode == CLOSE:
                self._closed_by_peer(payload)
                return  # what came behind it is dropped
            elif opcode == PING and self.writable:
                # A client that sends pings and reads nothing would fill this process with pongs.
                # Section 5.5.3 asks for an answer to the last ping only.
                self.write([frame(PONG, payload)])
        self._check_failure()
        if intake and self._reader.frames != 1:
            owes = intake.take(0, self._reader.frames - 1)
        if owes or self._reader.more:
            self._transport.pause_reading()
            paused = True
        if paused and self._handling is None:
            self._go_on()

    def _check_failure(self) -> None:
        if (failure := self._reader.failure) and not self._closing:
            if failure.text:
                self._receiver.unreadable(failure.text)
            self._close_after_failure(failure)

    def _go_on(self) -> None:
        """Read on: in a later turn if there are bytes or if the client owes, else from the socket.

        Called while reading is paused and no message is being handled.
        """
        self._turn = None
        if self._transport.is_closing():
            return
        if self.intake and (seconds := self.intake.wait()):
            self._turn = self._loop.call_later(seconds, self._go_on)
        elif self._reader.more:
            self._turn = self._loop.call_soon(self._read, b"")
        else:
            self._pinged = False  # its pong may be among what is read now
            self._transport.resume_reading()

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
            self._go_on()

    def _write_answer(self) -> None:
        if self._unsent_answer:
            self.write([])

    def sweep(self) -> None:
        """Send a ping; drop a client that has sent and read nothing since the ping before.

        A client that is not read meanwhile is not silent, unless it is the client who does not
        read: while a long answer waits for it, it shows by its reading that it is there.
        """
        unread = self._transport.get_write_buffer_size()
        is_read = self._turn is None and (self._handling is None or not self.writable)
        if self._pinged and is_read and unread >= self._unread_at_ping:
            self._transport.abort()
            return
        self._pinged = True
        self.write([frame(PING, b"")])
        self._unread_at_ping = self._transport.get_write_buffer_size()

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


class Adopt(Protocol):
    """Hands an accepted connection over to a receiver. The application returns right after it."""

    def __call__(
        self,
        make_receiver: Callable[[WebSocketLink], Receiver],
        intake: Intake | None = None,
        /,
    ) -> None:
        """Make the link and its receiver.

        Args:
            make_receiver: makes the receiver.
            intake: the budget of what the client sends; None where rates are not limited.
        """
