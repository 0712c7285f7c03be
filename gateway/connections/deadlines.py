"""When connections have to have shown who they are, or to show it again: one task for all."""

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
"""Seconds between two looks at what is due."""

CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds a client has to take what was written before it is let go."""


class Deadlines:
    """Ends connections whose token has expired, and those that do not say who they are.

    Tokens expire by the wall clock; the look each half second follows its jumps.

    Attributes:
        task: looks at what is due.
    """

    def __init__(self) -> None:
        self._late: dict[Connection, tuple[float, Callable[[], None]]] = {}
        self._expires: dict[Connection, float] = {}
        self._expiring: dict[float, set[Connection]] = {}
        self._seconds: list[float] = []
        self.task = PeriodicTask(self._look, CHECK_INTERVAL_SECONDS, "deadlines")

    def expect(self, connection: Connection, late: Callable[[], None]) -> None:
        """Wait for a connection to say who it is.

        Args:
            connection: which.
            late: called when it has not in time.
        """
        self._late[connection] = (time.monotonic() + IDENTIFY_SECONDS, late)

    def expire(self, connection: Connection, expires: float) -> None:
        """It has said who it is, and that holds for so long.

        Args:
            connection: which.
            expires: in seconds since 1970.
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
        """It has gone, or has said something new."""
        self._late.pop(connection, None)
        # The second itself stays until its time.
        if expiring := self._expiring.get(self._expires.pop(connection, math.inf)):
            expiring.discard(connection)

    def _look(self) -> None:
        self._look_for_late()
        self._look_for_expired()

    def _look_for_late(self) -> None:
        now = time.monotonic()
        while self._late:
            # The first to come are the first to be late.
            connection, (until, late) = next(iter(self._late.items()))
            if until > now:
                break
            del self._late[connection]
            late()

    def _look_for_expired(self) -> None:
        now = time.time()
        while self._seconds and self._seconds[0] <= now:
            for connection in self._expiring.pop(heappop(self._seconds), ()):
                del self._expires[connection]
                close_unidentified(connection, CloseCode.UNAUTHORIZED, "the token has expired")


def close_unidentified(connection: Connection, code: CloseCode, reason: str) -> None:
    """End a connection of which it is not known, or not known any more, who it is.

    Args:
        connection: which.
        code: why, for a program.
        reason: why, for a person.
    """
    connection.refuse(None, ChatError("unauthorized", reason))
    connection.end(code)
    connection.abort_in(CLOSE_TIMEOUT_SECONDS)
