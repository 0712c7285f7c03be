"""Runs every system in every scenario, the systems in turn."""

import argparse
import asyncio
import fcntl
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from time import perf_counter

import msgspec

from tests.bench.plan import Group, Job, Scenario
from tests.bench.report import Report, Run, flat
from tests.bench.systems.system import NotHereError, Running, System
from tests.bench.table import number
from tests.support.process import ROOT

SPARE_FILES = 200
"""Open files of a process beside its connections."""

FILES = 1_000_000
"""More than anything here opens."""


class Runner:
    """A bench: its scenarios and systems, and the results."""

    def __init__(
        self, systems: Sequence[System], scenarios: Sequence[Scenario], options: argparse.Namespace
    ) -> None:
        self._systems = systems
        self._scenarios = scenarios
        self._runs: int = options.runs
        self._seconds: float | None = options.seconds
        self._connections: int = min(options.connections or FILES, file_limit() - SPARE_FILES)
        self._lock: Path | None = options.lock
        self._file: Path | None = options.json
        self.report = Report(machine=machine())
        self.invalid = 0
        self._gone: set[str] = set()
        self._done = 0
        self._total = 0
        self._spent: list[float] = []

    async def run(self) -> None:
        """Measure all, and print progress."""
        systems = list(filter(self._is_here, self._systems))
        turns = [
            (scenario, system)
            for scenario in self._scenarios
            for system in systems
            if not (reason := lacks(system, scenario)) or self._skip(system, scenario, reason)
        ]
        self._total = len(turns) * self._runs
        for turn in range(1, self._runs + 1):
            # A whole turn under one lock: what is compared is measured side by side.
            with locked(self._lock):
                for scenario, system in turns:
                    await self._take_turn(turn, scenario, system)

    async def _take_turn(self, turn: int, scenario: Scenario, system: System) -> None:
        self._done += 1
        if system.name in self._gone:
            return
        place = f"[{self._done}/{self._total}] run {turn}"
        say(f"{place}: {scenario.name} of {system.name}{self._left()}")
        started = perf_counter()
        await self._measure(system, self._sized(scenario))
        self._spent.append(perf_counter() - started)
        self._keep()

    def _left(self) -> str:
        if not self._spent:
            return ""
        minutes = fmean(self._spent) * (self._total - self._done + 1) / 60
        return f", {minutes:.0f} min to go"

    def _sized(self, scenario: Scenario) -> Scenario:
        """The scenario as the command line wants it, and with no more clients than files."""
        return msgspec.structs.replace(
            scenario,
            seconds=self._seconds or scenario.seconds,
            groups=tuple(fewer(group, self._connections) for group in scenario.groups),
            connections=min(scenario.connections, self._connections),
        )

    def _keep(self) -> None:
        """Write the results so far, so that an interrupted run is not lost."""
        if self._file:
            self._file.write_bytes(msgspec.json.format(msgspec.json.encode(self.report), indent=1))

    def _skip(self, system: System, scenario: Scenario, reason: str) -> bool:
        word = f"{scenario.name} of {system.name} skipped: {reason}"
        if word not in self.report.skipped:
            self.report.skipped.append(word)
        return False

    def _is_here(self, system: System) -> bool:
        try:
            self.report.versions[system.name] = system.version()
        except NotHereError as reason:
            self.report.skipped.append(f"{system.name} skipped: {reason}")
            return False
        return True

    async def _measure(self, system: System, scenario: Scenario) -> None:
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
            try:
                async with system.start(scenario, Path(folder)) as running:
                    result = await generate(running, scenario)
            except NotHereError as reason:
                self.report.skipped.append(f"{system.name} skipped: {reason}")
                if not any(run.system == system.name for run in self.report.runs):
                    self.report.versions.pop(system.name)
                    self._gone.add(system.name)
                return
        if result is None:
            # What a peer loses is told; only ours makes the bench fail.
            self.invalid += running.stored is not None
            self.report.skipped.append(f"{scenario.name} of {system.name}: a run was INVALID")
            return
        figures = flat(result)
        self.report.runs.append(Run(system.name, scenario.name, figures, load))
        shown = ", ".join(f"{name} {number(value)}" for name, value in figures.items() if value)
        say(f"  {shown}")


def lacks(system: System, scenario: Scenario) -> str:
    """The reason for which a system cannot run a scenario; empty if it can."""
    if scenario.kind == "reconnect" and not system.resumes:
        return "it does not resume"
    if scenario.balanced and not system.balanced:
        return "it has no load balancer here"
    return ""


async def generate(running: Running, scenario: Scenario) -> dict[str, object] | None:
    """Run the load generator; return its result, or None for an invalid run."""
    job = Job(
        scenario=scenario,
        dialect=running.dialect,
        endpoints=(running.balancer,) if scenario.balanced else running.endpoints,
        processes=running.processes,
        stored=running.stored,
        strict=running.stored is not None,
    )
    loader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await loader.communicate(msgspec.json.encode(job))
    return msgspec.json.decode(said) if loader.returncode == 0 else None


def fewer(group: Group, connections: int) -> Group:
    """As many rooms of a group, but one at least, as so many connections are enough for."""
    rooms = max(1, min(group.rooms, connections // group.members))
    return msgspec.structs.replace(group, rooms=rooms)


def file_limit() -> int:
    """The limit of open files of a process that raised it; each client needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return FILES if hard == resource.RLIM_INFINITY else hard


def say(line: str) -> None:
    """Print progress."""
    print(line, file=sys.stderr, flush=True)


def machine() -> str:
    """A description of this machine."""
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"
    return f"{cores} cores, {system}, load {os.getloadavg()[0]:.2f} at the start"


@contextmanager
def locked(path: Path | None) -> Iterator[None]:
    """Hold a lock file, so that measurements do not run at the same time."""
    if path is None:
        yield
        return
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
