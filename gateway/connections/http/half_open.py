"""Connections that have not sent a whole request yet: each has a deadline, and they are bounded.

uvicorn waits for a request without end. Here a connection without one is closed after
`handshake_seconds`, and of too many such connections the oldest is closed at once.
"""

import asyncio
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

CHECK_INTERVAL_FRACTION: Final = 0.25
"""The deadlines are checked once in this fraction of `handshake_seconds`."""


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
