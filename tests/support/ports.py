"""Free ports for tests that start real servers."""

import random
import socket

# Below the range that the kernel takes the ports of outgoing connections from.
LOWEST, HIGHEST = 10_000, 30_000


def free_port(offsets: tuple[int, ...] = (0,)) -> int:
    """Return a port that is free on loopback, at each of the `offsets` above it too."""
    while True:
        port = random.randrange(LOWEST, HIGHEST)  # noqa: S311  nothing secret about it
        if all(_is_free(port + offset) for offset in offsets):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
