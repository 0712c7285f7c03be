"""uvicorn's HTTP protocol with a deadline and a size limit for the headers of each request.

uvicorn waits for a request without end. Here a connection without one is closed after
`handshake_seconds`, and of too many such connections the oldest is closed at once.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CHECK_INTERVAL_FRACTION: Final = 0.25
"""The deadlines are checked once in this fraction of `handshake_seconds`."""

MAX_HEADER_BYTES: Final = 65_536
"""Bytes of a request's line and headers."""


class ConnectionTimeouts(msgspec.Struct, frozen=True):
    """The timeouts of connections to a gateway.

    Attributes:
        handshake_seconds: seconds for the request line and headers.
        max_half_open: connections without a request; above it the oldest is closed.
        ping_seconds: seconds between two keepalive checks of a WebSocket.
    """

    handshake_seconds: float = 10.0
    max_half_open: int = 4096
    ping_seconds: float = 20.0


class HalfOpenConnection(Protocol):
    """A connection that has not sent a whole request yet."""

    def refuse(self, status: HTTPStatus) -> None:
        """End the connection with a status."""


class HalfOpenConnections:
    """All connections without a whole request, the oldest first, with one timer."""

    def __init__(self, seconds: float, max_half_open: int) -> None:
        self._seconds = seconds
        self._max_half_open = max_half_open
        self._deadlines: dict[HalfOpenConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, connection: HalfOpenConnection) -> bool:
        return connection in self._deadlines

    def begin(self, connection: HalfOpenConnection) -> None:
        """Start the deadline of a connection's next request, unless it runs already."""
        loop = asyncio.get_running_loop()
        # `setdefault`, not an assignment: a client that sends a byte of its headers now and then
        # gets no further time by it.
        self._deadlines.setdefault(connection, loop.time() + self._seconds)
        if len(self._deadlines) > self._max_half_open:
            self._refuse(next(iter(self._deadlines)))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds * CHECK_INTERVAL_FRACTION, self._check)

    def end(self, connection: HalfOpenConnection) -> None:
        """Stop the deadline: the request is there, or the connection has ended."""
        self._deadlines.pop(connection, None)

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._deadlines:
            connection, deadline = next(iter(self._deadlines.items()))
            if deadline > now:
                break
            self._refuse(connection)
        self._timer = None
        if self._deadlines:
            self._timer = loop.call_later(self._seconds * CHECK_INTERVAL_FRACTION, self._check)

    def _refuse(self, connection: HalfOpenConnection) -> None:
        self.end(connection)
        connection.refuse(HTTPStatus.REQUEST_TIMEOUT)


class HandshakeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a deadline and a size limit for the headers."""

    def __init__(self, half_open: HalfOpenConnections, **arguments: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(**arguments)
        self._half_open = half_open
        self._header_bytes = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._half_open.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline."""
        self._half_open.end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read bytes of a request.

        After an answer they are the rest of a body or the begin of the next request.
        """
        if self.cycle is None or self.cycle.response_complete:
            self._half_open.begin(self)
        super().data_received(data)
        if self in self._half_open and not self._in_body:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Stop the deadline: the headers are complete."""
        self._half_open.end(self)
        self._header_bytes = 0
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop the deadline again: the whole request has been read."""
        # An answer can leave before the body has come, such as a refusal. The rest of the body then
        # started a deadline in `data_received`, and this is its end.
        self._half_open.end(self)
        self._in_body = False
        super().on_message_complete()

    def refuse(self, status: HTTPStatus) -> None:
        """End the connection with a short answer."""
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            self.transport.write(f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
            self.transport.close()
