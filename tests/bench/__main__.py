"""`python -m tests.bench`: measure systems in scenarios, a table at the end."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from tests.bench.plan import BY_NAME
from tests.bench.runner import Runner
from tests.bench.systems.catalogue import systems
from tests.bench.table import table


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--systems", default="", help="names, separated by commas; else all")
    parser.add_argument("--scenarios", default="", help="names, separated by commas; else all")
    parser.add_argument("--runs", type=int, default=5, help="how often; systems take turns")
    parser.add_argument("--seconds", type=float, help="how long a measurement takes")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout to measure")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    parser.add_argument("--lock", type=Path, help="a file to lock while measuring")
    return parser.parse_args(words)


def main() -> int:
    """Measure; the exit code is 1 if a run was invalid."""
    options = parse(sys.argv[1:])
    wanted = [BY_NAME[name] for name in filter(None, options.scenarios.split(","))]
    chosen = list(filter(None, options.systems.split(",")))
    runner = Runner(
        systems(options.root.resolve(), chosen), wanted or list(BY_NAME.values()), options
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(runner.run())
    print(table(runner.report))
    if options.json:
        options.json.write_text(runner.as_json())
    return 1 if runner.invalid else 0


if __name__ == "__main__":
    sys.exit(main())
