"""When a process that died is started again, and when it is given up."""

# Seconds to wait after the first, second, ... death in a row.
DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)


class RestartPolicy:
    """Counts the deaths in a row of one process. Knows no clock: it is told how long it lived."""

    def __init__(self, well_after: float) -> None:
        """Begin.

        Args:
            well_after: a process that lived this many seconds was well: its next death is a
                first one again.
        """
        self._well_after = well_after
        self.deaths = 0

    def delay_after(self, uptime: float) -> float | None:
        """Count a death of a process that lived `lived` seconds.

        Returns:
            Seconds to wait before the next start; None to give the process up.
        """
        if uptime >= self._well_after:
            self.deaths = 0
        self.deaths += 1
        return DELAYS_SECONDS[self.deaths - 1] if self.deaths <= len(DELAYS_SECONDS) else None
