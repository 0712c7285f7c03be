"""The result as text for a terminal."""

from tests.bench.plan import BY_NAME
from tests.bench.report import Report, Spread


def table(report: Report) -> str:
    """All figures of all scenarios."""
    lines = [report.machine, *(f"{name}: {said}" for name, said in report.versions.items())]
    for scenario in dict.fromkeys(run.scenario for run in report.runs):
        lines += ["", BY_NAME[scenario].title]
        for system in report.systems(scenario):
            lines.append(f"  {system}")
            for figure in report.figures(scenario):
                if spread := report.spread(system, scenario, figure):
                    lines.append(f"    {figure:32}{_cells(spread)}")
    return "\n".join([*lines, "", *report.skipped])


def _cells(spread: Spread) -> str:
    return "".join(f"{value:>12,.2f}" for value in spread)
