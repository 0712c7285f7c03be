"""The result as text: for a terminal, and as Markdown for the documentation."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.bench.bars import judge
from tests.bench.plan import BY_NAME, Kind
from tests.bench.report import Report, Spread


class Column(NamedTuple):
    """A figure and how it is called."""

    figure: str
    title: str


COST = Column("cpu_us", "CPU us a delivery")
COLUMNS: dict[Kind, tuple[Column, ...]] = {
    "saturation": (COST, Column("per_second", "deliveries/s")),
    "rate": (
        COST,
        Column("p50_ms", "p50 ms"),
        Column("p99_ms", "p99 ms"),
        Column("last_p99_ms", "p99 ms to the last member"),
    ),
    "idle": (
        Column("idle_kib", "KiB a connection"),
        Column("idle_cpu_us_per_second", "CPU us/s a connection"),
        Column("intake_cpu_us", "CPU us to take one in"),
    ),
    "connect": (
        Column("cpu_us", "CPU us a client"),
        Column("p99_ms", "p99 ms until joined"),
        Column("clients_per_second", "clients/s"),
    ),
    "reconnect": (
        Column("cpu_us", "CPU us a client"),
        Column("p99_ms", "p99 ms until caught up"),
        Column("clients_per_second", "clients/s"),
    ),
}


def table(report: Report) -> str:
    """All scenarios, the bars, and what was skipped."""
    lines = [report.machine, *(f"{name}: {said}" for name, said in report.versions.items())]
    for title, rows in sections(report):
        lines += ["", title, *aligned(rows)]
    return "\n".join([*lines, *(f"- {word}" for word in report.skipped)])


def markdown(report: Report) -> str:
    """The same for the documentation."""
    lines = [f"Measured on {report.machine}.", ""]
    lines += [f"- {name}: {said}" for name, said in report.versions.items()]
    for title, (head, *rows) in sections(report):
        lines += ["", f"**{title}**", "", line_of(head), line_of(["---"] * len(head))]
        lines += [line_of(row) for row in rows]
    return "\n".join([*lines, "", *(f"- {word}" for word in report.skipped), ""])


def sections(report: Report) -> Iterator[tuple[str, list[list[str]]]]:
    """Each scenario's rows, then the bars'."""
    for name in dict.fromkeys(run.scenario for run in report.runs):
        scenario = BY_NAME[name]
        yield scenario.title, list(_scenario(report, name, COLUMNS[scenario.kind]))
    verdicts = judge(report)
    if verdicts:
        head = ["", "system", "median", "at most", "", "stretch", "to Node", "to NATS"]
        yield (
            "What was to be shown",
            [
                head,
                *(
                    [
                        verdict.bar.title,
                        verdict.system,
                        number(verdict.value),
                        f"{number(verdict.limit)} ({' and '.join(map(str, verdict.bar.limits))})",
                        "met" if verdict.met else "MISSED",
                        {True: "reached", False: "not reached", None: "-"}[verdict.stretch],
                        *(
                            "-" if r is None else f"{r:.2f} x"
                            for r in (verdict.to_node, verdict.to_nats)
                        ),
                    ]
                    for verdict in verdicts
                ),
            ],
        )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "   ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def number(value: float) -> str:
    """A number with three significant digits."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _scenario(report: Report, scenario: str, columns: Sequence[Column]) -> Iterator[list[str]]:
    yield [
        "median (min to max)",
        *(column.title for column in columns),
        "of it",
        "loader",
        "load",
        "runs",
    ]
    for system in report.systems(scenario):
        spreads = [report.spread(system, scenario, column.figure) for column in columns]
        runs = [run for run in report.runs if (run.system, run.scenario) == (system, scenario)]
        loads = [run.load for run in runs]
        yield [
            system,
            *(cell(spread) for spread in spreads),
            _parts(report, system, scenario, columns[0].figure),
            f"{loader.mid:.2f}" if (loader := report.spread(system, scenario, "loader")) else "-",
            f"{min(loads):.1f} to {max(loads):.1f}",
            str(len(runs)),
        ]


def cell(spread: Spread | None) -> str:
    """A spread as text."""
    if spread is None:
        return "-"
    return f"{number(spread.mid)} ({number(spread.low)} to {number(spread.high)})"


def _parts(report: Report, system: str, scenario: str, figure: str) -> str:
    """The parts of a cost that are large enough to name."""
    names = [name for name in report.figures(scenario) if name.startswith(f"{figure}/")]
    spreads = {name.partition("/")[2]: report.spread(system, scenario, name) for name in names}
    whole = report.spread(system, scenario, figure)
    least = 0.005 * whole.mid if whole else 0
    return ", ".join(
        f"{role} {number(spread.mid)}"
        for role, spread in spreads.items()
        if spread and spread.mid > least
    )


def line_of(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"
