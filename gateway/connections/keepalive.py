"""Calls on each of many once in a while: one timer for all of them."""

import asyncio
from typing import Final, Protocol

SWEEP_STEPS: Final = 20
"""Parts of a round: so many are called on in one turn of the loop at the most, not all."""


class SweepTarget(Protocol):
    """Somebody who is called on."""

    def sweep(self) -> None:
        """Look how it is; it may leave."""


class KeepaliveSweep:
    """Goes round everybody in so many seconds, and begins again, while anybody is there."""

    def __init__(self, seconds: float) -> None:
        self._step_seconds = seconds / SWEEP_STEPS
        self._parts: list[set[SweepTarget]] = [set() for _ in range(SWEEP_STEPS)]
        self._at = 0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, visited: SweepTarget) -> set[SweepTarget]:
        """Be called on after a whole round, and in each one after it.

        Returns:
            What to be discarded from in order to leave.
        """
        part = self._parts[self._at]
        part.add(visited)
        if self._timer is None:
            self._arm()
        return part

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._step_seconds, self._go_on)

    def _go_on(self) -> None:
        self._at = (self._at + 1) % SWEEP_STEPS
        for visited in tuple(self._parts[self._at]):
            visited.sweep()
        self._timer = None
        if any(self._parts):
            self._arm()
