"""Addresses that asked too often: their next requests wait."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from shared.addresses import rate_limit_address

PAUSE_SECONDS: Final = 0.5
"""Seconds that the requests of an address wait after one was refused. A health check among them is
still answered in the second that whoever asks usually allows. The refusal itself waits so long on a
connection of a proxy, as other clients have the requests that come after it."""


class RequestHead(NamedTuple):
    """A request as it stands, before anything is made of it.

    Attributes:
        method: in capitals.
        target: its path and query.
        headers: their names in lower case.
        connected: the address of the connection.
        upgrading: True if it asks for a WebSocket.
    """

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    connected: str
    upgrading: bool


class Refusal(NamedTuple):
    """The finished answer to a request that costs too much.

    Attributes:
        answer: its bytes.
        closing: True if the connection is to be closed.
        pause: seconds after which it is sent.
    """

    answer: bytes
    closing: bool
    pause: float


def _pass(_request: RequestHead) -> Refusal | None:
    return None


class SlowedAddresses:
    """The addresses that were refused just before, the oldest first, as rates count them.

    Attributes:
        count_malformed: counts bytes of an address that were no request; True if they are too many.
        refuse: returns the refusal of a request that is known to be too much; None lets it pass.
    """

    def __init__(self) -> None:
        self.count_malformed: Callable[[str], bool] = lambda _address: False
        self.refuse: Callable[[RequestHead], Refusal | None] = _pass
        self._until: dict[str, float] = {}

    def malformed(self, address: str) -> None:
        """Count bytes that were no request."""
        if self.count_malformed(address):
            self.slow(address)

    def slow(self, address: str) -> bool:
        """Let the next requests of an address wait; return True if it was refused just before."""
        now = asyncio.get_running_loop().time()
        # Kept for as long again: who asks as soon as the pause is over goes on.
        kept = now - PAUSE_SECONDS
        while self._until and (oldest := next(iter(self._until.items())))[1] <= kept:
            del self._until[oldest[0]]
        counted = rate_limit_address(address)
        goes_on = self._until.pop(counted, None) is not None
        self._until[counted] = now + PAUSE_SECONDS
        return goes_on

    def pause(self, address: str) -> float:
        """Return the seconds that a request of an address has to wait; 0 for most."""
        if not self._until:
            return 0
        until = self._until.get(rate_limit_address(address), 0)
        return max(0, until - asyncio.get_running_loop().time())
