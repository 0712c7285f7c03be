"""The layers that a checkout declares, and the imports that run against them.

They are read from `[tool.importlinter]` in its `pyproject.toml`, in either form: layers by their
names in a container, and layers by their full names.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.structure.sources import Arrow, Modules


class Layer(NamedTuple):
    """Modules on one level, packages standing for all that is in them.

    Attributes:
        parts: their full names.
        strangers: they may not import each other.
    """

    parts: frozenset[str]
    strangers: bool


class Contract(NamedTuple):
    """Layers, the highest first: each may import those below it.

    Attributes:
        container: the package whose parts it puts in order.
        layers: of this package and, at the end, of others that it stands on.
    """

    container: str
    layers: tuple[Layer, ...]

    @property
    def own(self) -> list[Layer]:
        """The layers of the package itself."""
        start = f"{self.container}."
        return [one for one in self.layers if any(part.startswith(start) for part in one.parts)]

    def place(self, module: str) -> tuple[int, str] | None:
        """The layer of a module, counted from the top, and its part."""
        for depth, layer in enumerate(self.layers):
            for part in layer.parts:
                if module == part or module.startswith(f"{part}."):
                    return depth, part
        return None


def contracts(root: Path) -> list[Contract]:
    """All contracts of a checkout that declare layers."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    declared = settings["tool"]["importlinter"]["contracts"]
    return [one for given in declared if given["type"] == "layers" for one in _contracts(given)]


def depth(package: str, declared: Iterable[Contract]) -> int:
    """The number of layers of a package's parts; 0 without a contract."""
    return sum(len(one.own) for one in declared if one.container == package)


def unnamed(modules: Modules, package: str, declared: Iterable[Contract]) -> list[str]:
    """The parts directly in a package that none of its layers names."""
    parts = {".".join(name.split(".")[:2]) for name in modules if name.startswith(f"{package}.")}
    named = {
        part
        for one in declared
        if one.container == package
        for layer in one.layers
        for part in layer.parts
    }
    return sorted(parts - named)


def upwards(arrows: Iterable[Arrow], declared: Sequence[Contract]) -> list[Arrow]:
    """The imports of a higher layer."""
    return sorted({arrow for one in declared for arrow in arrows if _runs_up(arrow, one)})


def sideways(arrows: Iterable[Arrow], declared: Sequence[Contract]) -> list[Arrow]:
    """The imports between independent parts of one layer."""
    return sorted({arrow for one in declared for arrow in arrows if _runs_aside(arrow, one)})


def _contracts(given: dict[str, Any]) -> Iterator[Contract]:
    layers = [
        layer if isinstance(layer, str) else " | ".join(layer["layers"])
        for layer in given["layers"]
    ]
    if containers := given.get("containers"):
        for container in containers:
            yield Contract(container, tuple(_layer(one, f"{container}.") for one in layers))
    else:
        container = _names(layers[0])[0].partition(".")[0]
        yield Contract(container, tuple(_layer(one, "") for one in layers))


def _layer(text: str, start: str) -> Layer:
    return Layer(frozenset(start + name for name in _names(text)), ":" not in text)


def _names(text: str) -> list[str]:
    """The names in a layer: `a | b` or `a : b`, one that may be absent in parentheses."""
    return [name.strip(" ()") for name in re.split("[|:]", text)]


def _runs_up(arrow: Arrow, contract: Contract) -> bool:
    here, there = map(contract.place, arrow)
    return here is not None and there is not None and there[0] < here[0]


def _runs_aside(arrow: Arrow, contract: Contract) -> bool:
    here, there = map(contract.place, arrow)
    if here is None or there is None or here[0] != there[0] or here == there:
        return False
    return contract.layers[here[0]].strangers
