"""The keepalive sweep: checks many idle connections with one timer."""

import asyncio
from typing import Final, Protocol

SWEEP_STEPS: Final = 20
"""Parts of a sweep. Each part is checked in a turn of the event loop of its own."""


class SweepTarget(Protocol):
    """A connection that the sweep checks."""

    def sweep(self) -> None:
        """Check the connection. It may leave the sweep meanwhile."""


class KeepaliveSweep:
    """Calls `sweep` on every target once in each period, as long as there are targets."""

    def __init__(self, seconds: float) -> None:
        self._step_seconds = seconds / SWEEP_STEPS
        self._parts: list[set[SweepTarget]] = [set() for _ in range(SWEEP_STEPS)]
        self._current_part = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, target: SweepTarget) -> set[SweepTarget]:
        """Check a target after one whole period from now, and once in each period after that.

        Returns:
            The set to discard the target from when its connection ends.
        """
        # The current part was checked last, so its next turn is a whole period away: a client that
        # has just connected is not pinged at once.
        part = self._parts[self._current_part]
        part.add(target)
        if self._timer is None:
            self._arm()
        return part

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._step_seconds, self._check_next_part)

    def _check_next_part(self) -> None:
        self._current_part = (self._current_part + 1) % SWEEP_STEPS
        for target in tuple(self._parts[self._current_part]):
            target.sweep()
        self._timer = None
        if any(self._parts):
            self._arm()
