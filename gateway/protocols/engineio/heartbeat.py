"""The heartbeat of an Engine.IO 4 session: the times of pings and the deadlines of pongs."""

import math
from typing import Final

from gateway.protocols.engineio.packets import PacketType
from gateway.protocols.engineio.settings import EngineSettings

MIN_TIMEOUT_FRACTION: Final = 0.75
"""The fraction of the ping timeout that a client has in any case, also after a late ping."""


class Heartbeat:
    """A session's heartbeat. Callers pass the time, in seconds of a monotonic clock.

    Attributes:
        ping_at: the time of the next ping; infinity while a pong is awaited.
        pong_by: the time at which the session counts as lost; infinity while no pong is awaited.
    """

    __slots__ = ("_interval", "_next", "_timeout", "_timeout_extended", "ping_at", "pong_by")

    def __init__(self, settings: EngineSettings, now: float) -> None:
        self._interval = settings.ping_interval / 1000
        self._timeout = settings.ping_timeout / 1000
        self.begin(now)

    @property
    def deadline(self) -> float:
        """The time of the next ping or timeout."""
        return min(self.ping_at, self.pong_by)

    def begin(self, now: float) -> None:
        """Start the interval to the next ping, also when the client has just sent something."""
        self.ping_at = self._next = now + self._interval
        self.pong_by = math.inf
        self._timeout_extended = False

    def end(self) -> None:
        """Stop the heartbeat."""
        self.ping_at = self.pong_by = math.inf

    def pinged(self, now: float) -> None:
        """Start the deadline of the pong: a ping is being sent."""
        # The timeout counts from when the ping was due, not from now: a client that is gone does
        # not stay longer because this process was busy. Yet a client has most of the timeout in any
        # case. Say a ping was due 19 s ago and the timeout is 20 s: with 1 s left, every client of
        # a process that was stopped for a while would be dropped at once.
        self.pong_by = max(self.ping_at + self._timeout, now + self._timeout * MIN_TIMEOUT_FRACTION)
        self._next = self.ping_at + self._interval
        self.ping_at = math.inf
        self._timeout_extended = False

    def excuse(self, until: float) -> None:
        """Begin the timeout again at a time until which nothing of the client was read."""
        if self.pong_by < math.inf:
            self.pong_by = max(self.pong_by, until + self._timeout)

    def received(self, kind: PacketType, now: float) -> None:
        """Note a packet that came while a pong is awaited."""
        if kind is PacketType.PONG:
            self.pong_by = math.inf
            self.ping_at = max(self._next, now + self._interval / 2)
        elif not self._timeout_extended:
            # A large packet may be on its way before the pong, so the timeout begins again, but
            # once only: a client that sends packets and no pong is lost in the end.
            self._timeout_extended = True
            self.pong_by = now + self._timeout
