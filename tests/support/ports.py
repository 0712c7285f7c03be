"""Free ports for tests that start real servers."""

import os
import random
import socket
from collections import deque
from typing import Final

# Below the range that the kernel takes the ports of outgoing connections from.
LOWEST: Final = 10_000
COUNT: Final = 20_000

_given: Final[deque[int]] = deque(maxlen=COUNT // 8)
"""The last ones given: whoever asked may not listen there yet."""


def free_port(offsets: tuple[int, ...] = (0,)) -> int:
    """Return a port that is free on loopback, at each of the `offsets` above it too.

    None of them is returned to anybody else for a long while.
    """
    ours = _ours()
    ours = ours[: -max(offsets)] or ours  # above, the offsets are the next worker's
    while True:
        port = random.choice(ours)  # noqa: S311  nothing secret about it
        wanted = [port + offset for offset in offsets]
        if not any(one in _given for one in wanted) and all(map(_is_free, wanted)):
            _given.extend(wanted)
            return port


def _ours() -> range:
    """The ports of this process among the workers of one run, which never ask for the same."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = COUNT // workers
    return range(LOWEST + worker * share, LOWEST + (worker + 1) * share)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
