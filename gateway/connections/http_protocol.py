"""Until its request is there a connection has a deadline, and costs little."""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CHECK_INTERVAL_FRACTION: Final = 0.25
"""The part of the deadline after which it is looked at again who is late."""

MAX_HEADER_BYTES: Final = 65_536
"""Bytes of a request's line and headers."""


class ConnectionTimeouts(msgspec.Struct, frozen=True):
    """What a connection may take its time for.

    Attributes:
        handshake_seconds: for the line and headers of a request.
        most_half_open: connections that have none yet; above it the oldest is dropped.
        ping_seconds: after which a silent WebSocket is asked whether it is there.
    """

    handshake_seconds: float = 10.0
    max_half_open: int = 4096
    ping_seconds: float = 20.0


class HalfOpenConnection(Protocol):
    """A connection whose request is awaited."""

    def refuse(self, status: HTTPStatus) -> None:
        """End it."""


class HalfOpenConnections:
    """The connections whose request is awaited, the oldest first; one timer for all."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._until: dict[HalfOpenConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, awaited: HalfOpenConnection) -> bool:
        return awaited in self._until

    def begin(self, awaited: HalfOpenConnection) -> None:
        """Await a request from now on, if it is not awaited yet."""
        loop = asyncio.get_running_loop()
        self._until.setdefault(awaited, loop.time() + self._seconds)
        if len(self._until) > self._most:
            self._refuse(next(iter(self._until)))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds * CHECK_INTERVAL_FRACTION, self._look)

    def end(self, awaited: HalfOpenConnection) -> None:
        """It is there, or never will be."""
        self._until.pop(awaited, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._until:
            awaited, until = next(iter(self._until.items()))
            if until > now:
                break
            self._refuse(awaited)
        self._timer = None
        if self._until:
            self._timer = loop.call_later(self._seconds * CHECK_INTERVAL_FRACTION, self._look)

    def _refuse(self, awaited: HalfOpenConnection) -> None:
        self.end(awaited)
        awaited.refuse(HTTPStatus.REQUEST_TIMEOUT)


class HandshakeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with a deadline for the headers of each request and a bound to them."""

    def __init__(self, half_open: HalfOpenConnections, **uvicorns: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**uvicorns)
        self._half_open = half_open
        self._head = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first request."""
        super().connection_made(transport)
        self._half_open.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self._half_open.end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes after an answer is the rest of a body, or begins a request."""
        if self.cycle is None or self.cycle.response_complete:
            self._half_open.begin(self)
        super().data_received(data)
        if self in self._half_open and not self._in_body:
            self._head += len(data)
            if self._head > MAX_HEADER_BYTES:
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The request is there."""
        self._half_open.end(self)
        self._head = 0
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the request is there: one that was refused may be answered long before."""
        self._half_open.end(self)
        self._in_body = False
        super().on_message_complete()

    def refuse(self, status: HTTPStatus) -> None:
        """End the connection with a short answer."""
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            self.transport.write(f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
            self.transport.close()
