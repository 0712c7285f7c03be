"""Ends connections that do not log in in time, and those whose token has expired."""

import math
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from gateway.connections.connection import Connection
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.protocol.closes import CloseCode
from shared.protocol.limits import IDENTIFY_SECONDS

CHECK_INTERVAL_SECONDS: Final = 0.5
"""Seconds between two checks of the deadlines."""

CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds a client has to read what was written before its connection is dropped."""


class Deadlines:
    """The login deadlines and token expiries of all connections, checked by one task.

    Tokens expire by the wall clock. A check every half second follows the clock when it is set.

    Attributes:
        task: checks the deadlines.
    """

    def __init__(self) -> None:
        self._logins: dict[Connection, tuple[float, Callable[[], None]]] = {}
        self._expires: dict[Connection, float] = {}
        self._expiring: dict[float, set[Connection]] = {}
        self._seconds: list[float] = []
        self.task = PeriodicTask(self._check, CHECK_INTERVAL_SECONDS, "deadlines")

    def expect(self, connection: Connection, on_late: Callable[[], None]) -> None:
        """Start the time that a connection has to log in.

        Args:
            connection: a connection that has not logged in.
            on_late: called if it has not when `IDENTIFY_SECONDS` are over.
        """
        self._logins[connection] = (time.monotonic() + IDENTIFY_SECONDS, on_late)

    def expire(self, connection: Connection, expires: float) -> None:
        """End a connection when its token expires; this replaces its earlier deadline.

        Args:
            connection: a connection that has logged in.
            expires: seconds since 1970; infinity for never.
        """
        self.forget(connection)
        if expires == math.inf:
            return
        self._expires[connection] = second = math.ceil(expires)
        if second not in self._expiring:
            self._expiring[second] = set()
            heappush(self._seconds, second)
        self._expiring[second].add(connection)

    def forget(self, connection: Connection) -> None:
        """Drop the deadline of a connection that has ended or has a new token."""
        self._logins.pop(connection, None)
        # The second itself stays in the heap until it is over: taking it out would be a search.
        if expiring := self._expiring.get(self._expires.pop(connection, math.inf)):
            expiring.discard(connection)

    def _check(self) -> None:
        self._check_logins()
        self._check_expiries()

    def _check_logins(self) -> None:
        now = time.monotonic()
        while self._logins:
            # All have the same time, so the order of the dict is the order of the deadlines.
            connection, (deadline, on_late) = next(iter(self._logins.items()))
            if deadline > now:
                break
            del self._logins[connection]
            on_late()

    def _check_expiries(self) -> None:
        now = time.time()
        while self._seconds and self._seconds[0] <= now:
            for connection in self._expiring.pop(heappop(self._seconds), ()):
                del self._expires[connection]
                close_unidentified(connection, CloseCode.UNAUTHORIZED, "the token has expired")


def close_unidentified(connection: Connection, code: CloseCode, reason: str) -> None:
    """End a connection whose user is not known, or is no longer proved.

    Args:
        connection: is sent an `unauthorized` error, then closed.
        code: the close code.
        reason: the text of the error.
    """
    connection.refuse(None, ChatError("unauthorized", reason))
    connection.end(code)
    connection.abort_in(CLOSE_TIMEOUT_SECONDS)
