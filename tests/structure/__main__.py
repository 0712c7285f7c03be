"""Measures how checkouts are put together, one or several side by side.

It counts modules, layers, rooms and imports, and the source files that are crossed by a message,
a resume and a login: for these it runs real clusters and traces their gateways. A folder of the
report counts its own modules without `__init__.py`; imports count wherever they stand, for type
checking too. A room is a folder directly below a package, with all that is in it, or a package's
own modules; where these are more than twice what a folder may hold, each is a room by itself.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from shared.command_line import command_line
from tests.structure import report
from tests.structure.scenarios import crossed
from tests.support.process import ROOT


def main() -> None:
    """Measure, and print what was found."""
    parser = command_line("tests.structure", __doc__)
    parser.add_argument(
        "--root", action="append", type=Path, help="a checkout; this one if none is given"
    )
    parser.add_argument("--files", action="store_true", help="list the files of each path")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--static", action="store_true", help="run no clusters: leave paths out")
    given = parser.parse_args()
    roots = [one.resolve() for one in given.root or [ROOT]]
    try:
        checkouts = [
            report.look_at(root, name) for root, name in zip(roots, _names(roots), strict=True)
        ]
    except FileNotFoundError as error:
        parser.error(str(error))
    if not given.static:
        crosses = [asyncio.run(crossed(root)) for root in roots]
        checkouts = [
            one._replace(paths=paths) for one, paths in zip(checkouts, crosses, strict=True)
        ]
    write = report.markdown if given.markdown else report.text
    print(write(checkouts, files=given.files))


def _names(roots: Sequence[Path]) -> list[str]:
    """The names of checkouts: those of their folders, if these differ."""
    names = [root.name for root in roots]
    return names if len(set(names)) == len(names) else list(map(str, roots))


if __name__ == "__main__":
    main()
