"""The results as text, with checkouts side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.table import aligned, line_of
from tests.structure import layers, rooms, sources
from tests.structure.layers import Contract
from tests.structure.scenarios import Files
from tests.structure.sources import PACKAGES, Arrow, Modules

Section = tuple[str, list[list[str]]]
"""A title, and rows: what is measured, and a figure for each checkout."""


class Checkout(NamedTuple):
    """The measurements of a checkout.

    Attributes:
        name: what it is called in the report.
        modules: all of its own, without tests.
        contracts: the layers that it declares.
        paths: the files of its critical paths; none where these were not measured.
    """

    name: str
    modules: Modules
    contracts: list[Contract]
    paths: Files


def look_at(root: Path, name: str) -> Checkout:
    """Read a checkout; its paths are not measured.

    Raises:
        FileNotFoundError: there is none.
    """
    return Checkout(name, sources.read(root), layers.contracts(root), {})


def text(checkouts: Sequence[Checkout], *, files: bool = False) -> str:
    """Tables for a terminal.

    Args:
        checkouts: to be compared.
        files: list the files of each path.
    """
    head = [one.name for one in checkouts]
    lines: list[str] = []
    for title, rows in _sections(checkouts):
        lines += [*aligned([[title, *head], *rows]), ""]
    for title, listed in _lists(checkouts, files=files):
        lines += [title, *(f"  {one}" for one in listed), ""]
    return "\n".join(lines[:-1])


def markdown(checkouts: Sequence[Checkout], *, files: bool = False) -> str:
    """The same as Markdown."""
    head = [one.name for one in checkouts]
    lines: list[str] = []
    for title, rows in _sections(checkouts):
        rule = ["---", *("---:" for _ in head)]
        lines += [line_of([title, *head]), line_of(rule), *map(line_of, rows), ""]
    for title, listed in _lists(checkouts, files=files):
        lines += [f"{title}:", "", *(f"- `{one}`" for one in listed), ""]
    return "\n".join(lines[:-1])


def _sections(checkouts: Sequence[Checkout]) -> Iterator[Section]:
    yield "modules in a folder", _folders(checkouts)
    for title, figures in (
        ("size", _size),
        ("layers", _layers),
        ("rooms and imports", _rooms),
        ("files crossed", _paths),
    ):
        columns = [figures(one) for one in checkouts]
        if columns[0]:
            rows = [[label, *(column[label] for column in columns)] for label in columns[0]]
            yield title, rows


def _folders(checkouts: Sequence[Checkout]) -> list[list[str]]:
    counts = [sources.folders(one.modules) for one in checkouts]
    names = sorted({name for count in counts for name in count})
    return [[name, *(str(count[name] or "-") for count in counts)] for name in names]


def _size(one: Checkout) -> dict[str, str]:
    counts = sources.folders(one.modules)
    (largest, most), *_ = counts.most_common(1)
    longest = max(one.modules.values(), key=lambda module: module.lines)
    return {
        "modules": str(counts.total()),
        "folders with modules": str(len(counts)),
        "largest folder": f"{largest} {most}",
        "longest module, lines": f"{longest.file} {longest.lines}",
    }


def _layers(one: Checkout) -> dict[str, str]:
    figures = {}
    for package in PACKAGES:
        deep = layers.depth(package, one.contracts)
        figures[f"layers of {package}"] = str(deep or "-")
    figures["parts of packages in no layer"] = str(len(_unnamed(one)))
    return figures


def _rooms(one: Checkout) -> dict[str, str]:
    found = sources.arrows(one.modules)
    figures = {}
    for apart, remark in ((True, ""), (False, ", own modules of a package always one room")):
        room_of = rooms.rooms(one.modules, apart=apart)
        between = rooms.between(one.modules, room_of)
        figures[f"rooms{remark}"] = str(rooms.count(one.modules, room_of))
        figures[f"arrows between rooms{remark}"] = str(len(between))
    return figures | {
        "imports between modules": str(len(found)),
        "circles of modules": _sizes(rooms.circles(found)),
        "imports back up the layers": str(len(layers.upwards(found, one.contracts))),
        "imports between strangers": str(len(layers.sideways(found, one.contracts))),
    }


def _paths(one: Checkout) -> dict[str, str]:
    return {title: str(len(files)) for title, files in one.paths.items()}


def _lists(checkouts: Sequence[Checkout], *, files: bool) -> Iterator[tuple[str, list[str]]]:
    for one in checkouts:
        found = sources.arrows(one.modules)
        lists = {
            "in no layer": _unnamed(one),
            "circles of modules": [" ".join(ring) for ring in rooms.circles(found)],
            "back up the layers": _written(layers.upwards(found, one.contracts)),
            "between strangers": _written(layers.sideways(found, one.contracts)),
            **(one.paths if files else {}),
        }
        yield from ((f"{one.name}: {title}", listed) for title, listed in lists.items() if listed)


def _unnamed(one: Checkout) -> list[str]:
    return [
        part for package in PACKAGES for part in layers.unnamed(one.modules, package, one.contracts)
    ]


def _sizes(circles: list[list[str]]) -> str:
    sizes = " and ".join(str(len(ring)) for ring in circles)
    return f"{len(circles)} (of {sizes} modules)" if circles else "0"


def _written(arrows: list[Arrow]) -> list[str]:
    return [f"{here} -> {there}" for here, there in arrows]
