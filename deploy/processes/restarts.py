"""The restart policy: how long a process that keeps ending waits before it is started again."""

from typing import Final

PAUSES_SECONDS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds to wait after the first, second, ... failure in a row; from then on, the last one."""

MAX_FAILED_STARTS: Final = 6
"""Failures in a row after which a process that never came up is given up."""


class RestartPolicy:
    """Counts the failures in a row of a process. It reads no clock.

    A process that once came up is never given up: what others need of it is there now and then,
    and the cause may go away.

    Attributes:
        failures: number of failures in a row.
        came_up: True once the process was ready.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.came_up = False

    def ran_well(self) -> None:
        """Begin to count anew."""
        self.failures = 0

    def pause_after_failure(self) -> float | None:
        """Count a failure.

        Returns:
            Seconds to wait before the restart; None if the process should be given up.
        """
        self.failures += 1
        if not self.came_up and self.failures >= MAX_FAILED_STARTS:
            return None
        return PAUSES_SECONDS[min(self.failures, len(PAUSES_SECONDS)) - 1]
