"""The restart policy: delays between restarts, and the number of restarts."""

# Seconds to wait after the first, second, ... failure in a row.
DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)


class RestartPolicy:
    """Counts the failures in a row of a process. It reads no clock; callers give the uptime."""

    def __init__(self, well_after: float) -> None:
        """Prepare.

        Args:
            well_after: an uptime in seconds after which the count starts again.
        """
        self._well_after = well_after
        self.failures = 0

    def delay_after(self, uptime: float) -> float | None:
        """Count a failure of a process after `uptime` seconds.

        Returns:
            Seconds to wait before the restart; None if it should not be restarted.
        """
        if uptime >= self._well_after:
            self.failures = 0
        self.failures += 1
        return DELAYS_SECONDS[self.failures - 1] if self.failures <= len(DELAYS_SECONDS) else None
