"""uvicorn's HTTP protocol, with one request of a connection at a time and a bound for each.

uvicorn parses all that it reads, and queues the requests. Here the bytes after a request wait until
it has been answered, with reading paused when they are many, and other connections get their turn
in between.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connections.http.half_open import HalfOpenConnections
from gateway.connections.http.request_size import RequestSize
from gateway.connections.http.slowed import RequestHead, SlowedAddresses
from gateway.connections.http.waiting_bytes import WaitingBytes

MAX_TARGET_BYTES: Final = 16_384
"""Bytes of a request's path and query."""

MAX_HEADERS: Final = 128
"""Headers of a request, trailers included."""

MAX_WAITING_BYTES: Final = 65_536
"""Bytes that wait for the end of an earlier request; reading is paused above it."""

MAX_TURN_PIECES: Final = 64
"""Pieces, or chunks, that a connection may parse before other connections get their turn."""

MAX_TURN_BYTES: Final = 65_536
"""Bytes that a connection may parse before other connections get their turn."""


class HandshakeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with bounds for a request and for what waits behind it."""

    def __init__(
        self,
        half_open: HalfOpenConnections,
        slowed: SlowedAddresses,
        **arguments: Any,  # noqa: ANN401 - uvicorn's own
    ) -> None:
        super().__init__(**arguments)
        self._half_open = half_open
        self._slowed = slowed
        self._waiting = WaitingBytes()
        self._turn: asyncio.Handle | None = None
        self._size = RequestSize()
        # The present request was refused without a task of its own.
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self._read_on)
        self._half_open.begin(self)
        self._pause_if_slowed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline."""
        self._half_open.end(self)
        self._waiting.clear()
        if self._turn is not None:
            self._turn.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and parse what is due of them."""
        self._waiting.add(data)
        if self._turn is None:
            self._parse()
        elif len(self._waiting) > MAX_WAITING_BYTES:
            self.flow.pause_reading()

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target.

        Raises:
            ValueError: it is too long, and the connection has been ended.
        """
        super().on_url(url)
        if len(self.url) > MAX_TARGET_BYTES:
            self.refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
            raise ValueError("target too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or a trailer.

        Raises:
            ValueError: there are too many, and the connection has been ended.
        """
        if len(self.headers) >= MAX_HEADERS:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the deadline: the headers are complete."""
        self._half_open.end(self)
        self._size.begin_body(self.headers)
        self._refused = self._refuse_early()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._size.add_body(len(body))
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the whole request has been read."""
        # An answer can leave before the body has come, such as a refusal. The rest of the body then
        # started a deadline in `_feed`, which took the place of uvicorn's timer of idle
        # connections. Without another one, a client that sends its bodies late could keep any
        # number of connections open for ever.
        if self in self._half_open:
            self._half_open.end(self)
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        self._size.end()
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the bytes that waited for the end of this answer."""
        # Before uvicorn reads on, which would let the next request have the next turn.
        self._pause_if_slowed()
        super().on_response_complete()
        self._schedule_turn()

    def refuse(self, status: HTTPStatus) -> None:
        """End the connection with a short answer, and count it by the client's address."""
        if not self.transport.is_closing():
            if self.client:
                self._slowed.malformed(self.client[0])
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            self.transport.write(f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
            self.transport.close()

    def _refuse_early(self) -> bool:
        """Answer a request that is known to be too much, at a fraction of what a task costs."""
        if not self.client:
            return False
        upgrading = self.parser.should_upgrade() and self._should_upgrade()
        method = self.parser.get_method()
        refusal = self._slowed.refuse(
            RequestHead(method, self.url, self.headers, self.client[0], upgrading)
        )
        if refusal is None:
            return False
        self.cycle = None  # type: ignore[assignment]
        keep = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        closing = refusal.closing or upgrading or not keep
        finish = partial(self._answer, refusal.answer, closing=closing)
        if refusal.pause:
            self._turn = self.loop.call_later(refusal.pause, finish)
        else:
            finish()
        return True

    def _answer(self, answer: bytes, *, closing: bool) -> None:
        """Send the answer to a request that was refused early, and go on with the next one."""
        self._turn = None
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if closing:
            self.transport.close()
        self.on_response_complete()

    def _read_on(self) -> bool:
        """Return True if bytes wait; they are parsed before more are read."""
        self._schedule_turn()
        return self._turn is not None

    def _schedule_turn(self) -> None:
        if self._waiting and self._turn is None:
            self._turn = self.loop.call_soon(self._take_turn)

    def _pause_if_slowed(self) -> None:
        """Let the next request wait if the address of this connection was refused just now."""
        pause = self._slowed.pause(self.client[0]) if self.client else 0
        if pause and self._turn is None and not self.transport.is_closing():
            self._turn = self.loop.call_later(pause, self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self._parse()

    def _parse(self) -> None:
        """Parse what may be parsed in this turn of the event loop."""
        pieces, left = MAX_TURN_PIECES, MAX_TURN_BYTES
        while self._waiting and self._turn is None and self._may_parse():
            if pieces <= 0 or left <= 0:
                self._schedule_turn()
                break
            piece = self._size.cut(self._waiting)
            if not self._feed(piece):
                self._waiting.clear()
                return
            pieces, left = pieces - max(1, self._size.body_parts), left - len(piece)
        if len(self._waiting) > MAX_WAITING_BYTES:
            self.flow.pause_reading()
        elif not self._body_is_full():
            FlowControl.resume_reading(self.flow)

    def _may_parse(self) -> bool:
        """Return True unless the bytes wait: for an answer, or until the body so far is taken."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        return self._size.in_body and not self._body_is_full()

    def _body_is_full(self) -> bool:
        cycle = self.cycle
        return bool(cycle and not cycle.response_complete and len(cycle.body) > HIGH_WATER_LIMIT)

    def _feed(self, piece: bytes) -> bool:
        """Parse bytes; return False if the connection has ended, or is a WebSocket now."""
        if self.parser is None or self.transport.is_closing():
            return False
        self._unset_keepalive_if_required()
        if self.cycle is None or self.cycle.response_complete:
            self._half_open.begin(self)
            if self._size.drain(len(piece)):
                self.transport.close()
                return False
        if self._size.add(len(piece)):
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return False
        return self._feed_parser(piece)

    def _feed_parser(self, piece: bytes) -> bool:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return self._upgrade()
        except httptools.HttpParserError:
            self.refuse(HTTPStatus.BAD_REQUEST)
            return False
        return True

    def _upgrade(self) -> bool:
        """Hand the connection over to the WebSocket's protocol; False if that was asked for."""
        if self._refused:
            return False
        if not self._should_upgrade():
            # What another protocol would say next is no request.
            if self.cycle is not None:
                self.cycle.keep_alive = False
            return False
        early = self._waiting.take(len(self._waiting))
        FlowControl.resume_reading(self.flow)
        self.handle_websocket_upgrade()
        if early:
            self.transport.get_protocol().data_received(early)  # type: ignore[attr-defined]
        return False


class _Flow(FlowControl):
    """uvicorn's flow control, which reads on only where no bytes wait to be parsed."""

    def __init__(self, transport: asyncio.Transport, read_on: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._read_on = read_on

    def resume_reading(self) -> None:
        """Read more, as the application wants it, unless bytes wait."""
        if not self._read_on():
            super().resume_reading()
