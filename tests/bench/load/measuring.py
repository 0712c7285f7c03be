"""The CPU of the servers between two moments, told for each delivery or connection."""

import os
from time import perf_counter

from tests.bench import processes

MICROSECONDS = 1e6


class Meter:
    """Counts CPU from when it is made."""

    def __init__(self, servers: dict[str, list[int]]) -> None:
        self._servers = servers
        self._before = processes.cpu_by_role(servers)
        self._own = processes.cpu(os.getpid())
        self._started = perf_counter()

    def per(self, count: float) -> dict[str, object]:
        """CPU so far divided by a count.

        Returns:
            `cpu_us`, microseconds by role, and `loader`, the share of a core that the load
            generator used itself.
        """
        used = processes.less(processes.cpu_by_role(self._servers), self._before)
        own = processes.cpu(os.getpid()) - self._own
        return {
            "cpu_us": {role: MICROSECONDS * spent / count for role, spent in used.items()},
            "loader": own / (perf_counter() - self._started),
        }
