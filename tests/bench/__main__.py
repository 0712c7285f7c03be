"""A benchmark: measures systems in scenarios, and prints a table."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import msgspec

from shared.command_line import command_line
from tests.bench.document import put
from tests.bench.pictures import draw
from tests.bench.plan import BY_NAME, QUICK
from tests.bench.report import Report
from tests.bench.runner import Runner
from tests.bench.systems.catalogue import NAMES, systems
from tests.bench.table import markdown, table


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = command_line("tests.bench", __doc__)
    add = parser.add_argument
    add("--systems", type=names(NAMES), default=[], help=f"some of {', '.join(NAMES)}")
    add("--scenarios", type=names(BY_NAME), default=[], help=f"some of {', '.join(BY_NAME)}")
    add("--runs", type=int, default=5, help="how often; systems take turns")
    add("--seconds", type=float, help="how long a measurement takes")
    add("--connections", type=int, help="the most clients a scenario may have")
    add("--quick", action="store_true", help="one short run of what is quick to measure")
    add("--root", type=Path, default=Path.cwd(), help="the checkout of ours to measure")
    add("--json", type=Path, help="a file for all figures, written after each measurement")
    add("--markdown", type=Path, help="a document for the tables")
    add("--pictures", type=Path, help="a folder for the pictures, as SVG")
    add("--lock", type=Path, help="a file to lock while measuring")
    add("--show", type=Path, help="measure nothing, show the figures of this file")
    return parser.parse_args(words)


def names(known: object) -> type[list[str]]:
    """A type of argument: names separated by commas, each one of those known."""

    def read(given: str) -> list[str]:
        words = [word for word in given.split(",") if word]
        if unknown := [word for word in words if word not in known]:  # type: ignore[operator]
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
        return words

    return read  # type: ignore[return-value]


def main() -> int:
    """Measure and show; the exit code is 1 if a run was invalid or nothing was measured."""
    options = parse(sys.argv[1:])
    # Told to end, it ends as after Ctrl-C: no server is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.show:
        report, failed = msgspec.json.decode(options.show.read_bytes(), type=Report), False
    else:
        report, failed = measure(options)
    print(table(report))
    if options.markdown:
        put(options.markdown, "results", markdown(report))
    if options.pictures:
        draw(report, options.pictures)
    return 1 if failed or not report.runs else 0


def measure(options: argparse.Namespace) -> tuple[Report, bool]:
    """Measure; return the report, and True if a run was invalid."""
    if options.quick:
        options.runs, options.seconds = 1, options.seconds or 0.5
    scenarios = [
        BY_NAME[name] for name in options.scenarios or (QUICK if options.quick else BY_NAME)
    ]
    runner = Runner(systems(options.root.resolve(), options.systems), scenarios, options)
    with contextlib.suppress(KeyboardInterrupt):  # what was measured so far is shown
        asyncio.run(runner.run())
    return runner.report, bool(runner.invalid)


if __name__ == "__main__":
    sys.exit(main())
