"""Free ports for tests that start real servers."""

import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from functools import cache
from pathlib import Path
from typing import Final

# Below the range that the kernel takes the ports of outgoing connections from.
LOWEST: Final = 10_000
COUNT: Final = 20_000

_given: Final[deque[int]] = deque(maxlen=COUNT // 8)
"""The last ones given: whoever asked may not listen there yet."""

CLAIMS: Final = Path(tempfile.gettempdir()) / "parley-test-ports"
"""A file in which each port that some process was given has its byte locked until that ends."""


def free_port(offsets: tuple[int, ...] = (0,)) -> int:
    """Return a port that is free on loopback, at each of the `offsets` above it too.

    None of them is returned to anybody else for a long while, in other runs on this machine either.
    """
    ours = _ours()
    ours = ours[: -max(offsets)] or ours  # above, the offsets are the next worker's
    while True:
        port = random.choice(ours)  # noqa: S311  nothing secret about it
        wanted = [port + offset for offset in offsets]
        fresh = not any(one in _given for one in wanted)
        if fresh and all(map(_is_free, wanted)) and all(map(_claim, wanted)):
            _given.extend(wanted)
            return port


def _ours() -> range:
    """The ports of this process; the workers of one run have different ones."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = COUNT // workers
    return range(LOWEST + worker * share, LOWEST + (worker + 1) * share)


def _claim(port: int) -> bool:
    """Claim a port until this process ends. Return True if no other process has it."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    """The file of claims, which is never closed, because closing it would release them."""
    try:
        return os.open(CLAIMS, os.O_RDWR)
    except FileNotFoundError:
        made = os.open(CLAIMS, os.O_RDWR | os.O_CREAT, 0o666)
        os.fchmod(made, 0o666)  # for other users' runs, whatever the umask
        return made


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
