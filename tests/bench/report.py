"""The report: every run of every system in every scenario."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from msgspec import Struct, field

Figures = dict[str, float]


class Spread(NamedTuple):
    """Minimum, median and maximum over the runs."""

    low: float
    mid: float
    high: float


class Run(Struct, frozen=True):
    """One measurement; `figures` by name, those split by process as `name/role`."""

    system: str
    scenario: str
    figures: Figures
    load: float


class Report(Struct):
    """All measurements of one call of the bench.

    Attributes:
        versions: of the systems, by name.
        skipped: why a system or a run is not there.
        runs: in the order they were made.
        machine: what it ran on.
    """

    versions: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    machine: str = ""

    def spread(self, system: str, scenario: str, figure: str) -> Spread | None:
        """A figure over all runs; None if there is none."""
        values = [
            run.figures[figure]
            for run in self.runs
            if (run.system, run.scenario) == (system, scenario) and figure in run.figures
        ]
        return Spread(min(values), median(values), max(values)) if values else None

    def runs_of(self, scenario: str) -> list[Run]:
        """All runs of a scenario."""
        return [run for run in self.runs if run.scenario == scenario]

    def systems(self, scenario: str) -> list[str]:
        """The systems that have runs of a scenario."""
        return list(dict.fromkeys(run.system for run in self.runs if run.scenario == scenario))

    def figures(self, scenario: str) -> list[str]:
        """The names of a scenario's figures."""
        return list(
            dict.fromkeys(
                name for run in self.runs if run.scenario == scenario for name in run.figures
            )
        )


def flat(result: dict[str, object]) -> Figures:
    """A result of the load generator with one level of names.

    The parts of a cost get their sum under its own name: all of them but the load balancer, who
    is priced apart, and who is beside the direct way that is measured anyway.
    """
    figures: Figures = {}
    for name, value in result.items():
        if isinstance(value, dict):
            figures[name] = total(value.items())
            figures.update({f"{name}/{role}": part for role, part in value.items()})
        elif isinstance(value, int | float):
            figures[name] = value
    return figures


def total(parts: Iterable[tuple[str, float]]) -> float:
    """The total of all processes except the load balancer."""
    return sum(part for role, part in parts if role != "haproxy")
