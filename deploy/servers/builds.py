"""The build of a load balancer: its version, and the libraries inside it with theirs.

The program is asked, as only it knows what it was linked to: `haproxy -vv`, `caddy build-info`.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from deploy.settings import environment, without_settings

ASKED_SECONDS: Final = 10.0
"""Seconds after which a program that does not answer counts as one that cannot run."""


class Component(NamedTuple):
    """A library inside a program.

    Attributes:
        name: as the program calls it, such as `OpenSSL`, or the path of a Go module.
        version: without the date, and of a Go module without the `v`.
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Build(NamedTuple):
    """A program as it was built.

    Attributes:
        version: all that it says of its version, such as `2.6.12-1+deb12u3`.
        components: the libraries inside it.
        tls: whether it can speak TLS.
    """

    version: str
    components: tuple[Component, ...]
    tls: bool = True

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version's numbers, to compare: `2.6.12-1+deb12u3` is (2, 6, 12)."""
        return numbers(self.version)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers with which a version begins; empty if there are none."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def ask(*command: str) -> str:
    """Return what a program prints.

    Raises:
        OSError: it cannot be run, fails, or does not end.
    """
    try:
        asked = subprocess.run(  # noqa: S603  a server that was installed here
            command,
            env=without_settings(environment()),  # which have secrets, and are not its business
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASKED_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error
    return asked.stdout.decode(errors="replace")


def read_haproxy(shown: str) -> Build | None:
    """Read what `haproxy -vv` prints; None if that is no HAProxy.

    What it runs on counts, not what it was built with: a shared library may have been renewed.
    """
    version = re.search(r"^HA-?Proxy version (\S+)", shown, re.MULTILINE)
    if version is None:
        return None
    found: dict[str, Component] = {}
    lines = re.findall(
        r"^(?:Built with|Running on) (\S+)(?: library)? version *: (.+)$", shown, re.MULTILINE
    )
    # "Running on" comes after "Built with" of the same library, and takes its place.
    for label, text in lines:
        named = re.match(r"(?:([A-Za-z][\w-]*) )?v?(\d\S*)", text)
        if named is not None:
            found[label] = Component(named[1] or label, named[2])
    return Build(version[1], tuple(found.values()), tls=bool({"OpenSSL", "SSL"} & found.keys()))


def read_go(shown: str, main: str) -> Build | None:
    """Read what Go says of a program: `caddy build-info`, or `go version -m`.

    Args:
        shown: its text.
        main: the module that the program's version is of.

    Returns:
        The build with Go itself and all modules; None if that is no program of Go.
    """
    found = tuple(_go_components(shown))
    version = next((each.version for each in found if each.name == main), "")
    return Build(version, found) if found else None


def _go_components(shown: str) -> Iterator[Component]:
    modules: list[Component] = []
    for words in map(str.split, shown.splitlines()):
        match words:
            case ["go", version]:
                yield Component("Go", version.removeprefix("go"))
            case ["dep", name, version, *_]:
                modules.append(Component(name, version.removeprefix("v")))
            case ["=>", name, version, *_] if modules:  # what stands in place of the one before
                modules[-1] = Component(name, version.removeprefix("v"))
    yield from modules


def _haproxy(path: str) -> Build | None:
    return read_haproxy(ask(path, "-vv"))


def _caddy(path: str) -> Build | None:
    found = read_go(ask(path, "build-info"), "github.com/caddyserver/caddy/v2")
    # A program of a distribution has its version from there, and not from the module.
    version = ask(path, "version").split(" ")[0].strip().removeprefix("v")
    return Build(version, found.components if found else ()) if version[:1].isdigit() else None


READERS: Final[Mapping[str, Callable[[str], Build | None]]] = {"haproxy": _haproxy, "caddy": _caddy}


def read_build(kind: str, path: str) -> Build | None:
    """Ask a load balancer what it is made of; None if it cannot be run, or is something else.

    Args:
        kind: `haproxy` or `caddy`.
        path: of its program.
    """
    try:
        return READERS[kind](path)
    except OSError:
        return None
