"""The heartbeat of an Engine.IO 4 session: when to ping, and until when a pong has time."""

import math
from typing import Final

from gateway.protocols.engineio.packets import PacketType
from gateway.protocols.engineio.settings import EngineSettings

MIN_TIMEOUT_FRACTION: Final = 0.75
"""The part of the timeout that a client has at least, however late this process sends its ping."""


class Heartbeat:
    """A session's heartbeat, by a clock in seconds that others tell.

    Attributes:
        ping_at: when the next ping is to be sent; infinity while a pong is awaited.
        pong_by: when the session is lost; infinity while no pong is awaited.
    """

    __slots__ = ("_interval", "_next", "_refreshed", "_timeout", "ping_at", "pong_by")

    def __init__(self, settings: EngineSettings, now: float) -> None:
        self._interval = settings.ping_interval / 1000
        self._timeout = settings.ping_timeout / 1000
        self.begin(now)

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return min(self.ping_at, self.pong_by)

    def begin(self, now: float) -> None:
        """Begin, or begin anew because the client has just shown life."""
        self.ping_at = self._next = now + self._interval
        self.pong_by = math.inf
        self._refreshed = False

    def end(self) -> None:
        """Be due no more."""
        self.ping_at = self.pong_by = math.inf

    def pinged(self, now: float) -> None:
        """A ping is being sent."""
        # Its pong has its time from when it was due: nobody lives longer because this process is
        # busy.
        self.pong_by = max(self.ping_at + self._timeout, now + self._timeout * MIN_TIMEOUT_FRACTION)
        self._next = self.ping_at + self._interval
        self.ping_at = math.inf
        self._refreshed = False

    def received(self, kind: PacketType, now: float) -> None:
        """A packet came in while a pong is awaited."""
        if kind is PacketType.PONG:
            self.pong_by = math.inf
            self.ping_at = max(self._next, now + self._interval / 2)
        elif not self._refreshed:
            # Something large may be ahead of the pong; but only once, lest there never be one.
            self._refreshed = True
            self.pong_by = now + self._timeout
