"""A benchmark: measures our cost against size, as a table and pictures."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared.command_line import command_line
from tests.bench.document import put
from tests.bench.report import Report, Run, flat
from tests.bench.runner import SPARE_FILES, file_limit, generate, locked, machine, say
from tests.bench.sizes.chart import chart
from tests.bench.sizes.series import PICTURES, Picture, Step, steps
from tests.bench.systems.parley import Parley
from tests.bench.table import aligned, cell, line_of, number


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = command_line("tests.bench.sizes", __doc__)
    add = parser.add_argument
    add("--runs", type=int, default=3, help="how often; sizes take turns")
    add("--quick", action="store_true", help="one short run of small sizes")
    add("--series", default="", help="one of gateways, connections, members, known")
    add("--root", type=Path, default=Path.cwd(), help="the checkout of ours to measure")
    add("--json", type=Path, help="a file for all figures")
    add("--markdown", type=Path, help="a document for tables and pictures")
    add("--pictures", type=Path, help="a folder for the pictures, as SVG")
    add("--lock", type=Path, help="a file to lock while measuring")
    add("--show", type=Path, help="measure nothing, show the figures of this file")
    return parser.parse_args(words)


async def measure(options: argparse.Namespace, report: Report) -> None:
    """Measure every step, so many times."""
    wanted = [
        step
        for step in steps(quick=options.quick)
        if step.series.startswith(options.series) and _fits(step, report)
    ]
    turns = [step for _ in range(1 if options.quick else options.runs) for step in wanted]
    for at, step in enumerate(turns, start=1):
        say(f"[{at}/{len(turns)}] {step.gateways} gateways: {step.scenario.title}")
        with locked(options.lock):
            await _measure(step, report, options)
        if options.json:
            options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


async def _measure(step: Step, report: Report, options: argparse.Namespace) -> None:
    scenario = step.scenario
    if options.quick:
        scenario = msgspec.structs.replace(scenario, seconds=0.5)
    load = os.getloadavg()[0]
    system = Parley("parley-json", options.root.resolve(), step.gateways)
    report.versions[system.name] = system.version()
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        async with system.start(scenario, Path(folder)) as running:
            result = await generate(running, scenario)
    if result is None:
        report.skipped.append(f"{scenario.title}: a run was INVALID")
        return
    figures = flat(result)
    if messages := figures.get("messages"):
        a_message = figures["deliveries"] / messages
        figures["redis_us_a_message"] = figures["cpu_us/redis"] * a_message
    report.runs.append(Run(str(step.size), step.series, figures, load))
    say("  " + ", ".join(f"{name} {number(value)}" for name, value in figures.items() if value))


def _fits(step: Step, report: Report) -> bool:
    """True if a process may open that many files; the load generator has all connections."""
    limit = file_limit()
    wanted = max(step.scenario.connections, sum(g.rooms * g.members for g in step.scenario.groups))
    if wanted + SPARE_FILES <= limit:
        return True
    report.skipped.append(f"{step.scenario.title} skipped: `ulimit -n` is {limit}")
    return False


def rows_of(report: Report, picture: Picture) -> list[list[str]]:
    """The figures of a picture, a row for each size."""
    runs = [run for line in picture.lines for run in report.runs_of(line.series)]
    rows = [[picture.axis, *(line.title for line in picture.lines)]]
    for size in sorted({int(run.system) for run in runs}):
        spreads = [report.spread(str(size), line.series, line.figure) for line in picture.lines]
        rows.append([f"{size:,}", *map(cell, spreads)])
    return rows


def show(report: Report, picture: Picture) -> str:
    """A picture as text."""
    rows = aligned(rows_of(report, picture))
    return "\n".join([f"{picture.title}: {picture.unit}", *rows, ""])


def markdown(report: Report, pictures: Sequence[Picture], folder: Path) -> str:
    """Return pictures and their figures for a page from which `folder` is reached like this."""
    made_of = ", ".join(report.versions.values())
    lines = [f"Measured on {report.machine}; {made_of}."]
    for picture in pictures:
        file = f"{folder.as_posix()}/{picture.file}.svg"
        head, *rows = rows_of(report, picture)
        lines += ["", f"### {picture.title}", "", f"![{picture.unit}]({file})", "", picture.bound]
        lines += ["", *map(line_of, (head, ["---"] * len(head), *rows))]
    return "\n".join([*lines, "", *(f"- {word}" for word in report.skipped), ""])


def main() -> int:
    """Measure and show; the exit code is 1 if nothing was measured or a run was invalid."""
    options = parse(sys.argv[1:])
    # Told to end, it ends as after Ctrl-C: no server is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.show:
        report = msgspec.json.decode(options.show.read_bytes(), type=Report)
    else:
        report = Report(machine=machine())
        with contextlib.suppress(KeyboardInterrupt):  # what was measured so far is shown
            asyncio.run(measure(options, report))
    print(report.machine, *report.versions.values(), "", sep="\n")
    known = [one for one in PICTURES if any(report.runs_of(line.series) for line in one.lines)]
    print(*(show(report, picture) for picture in known), *report.skipped, sep="\n")
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for picture in known:
            (options.pictures / f"{picture.file}.svg").write_text(chart(report, picture))
    if options.markdown:
        pictures = options.pictures or options.markdown.parent / "pictures"
        folder = Path(os.path.relpath(pictures, options.markdown.parent))
        put(options.markdown, "sizes", markdown(report, known, folder))
    return 0 if report.runs and not any("INVALID" in word for word in report.skipped) else 1


if __name__ == "__main__":
    sys.exit(main())
