"""`make bench` against a real cluster, as short as it goes. How fast it is, is not asserted."""

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.bench.plan import BY_NAME
from tests.bench.report import Report
from tests.support.process import ROOT, environ

PROMISED = {"rooms50x4": "deliveries", "idle": "connections", "reconnect": "clients"}


class Bench(NamedTuple):
    """A bench that ran to its end."""

    code: int
    said: str
    report: Path


@pytest.fixture(scope="module")
async def priced(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One of our cluster, in each scenario once."""
    report = tmp_path_factory.mktemp("bench") / "out.json"
    code, said = await bench(
        *(
            "--systems",
            "parley-json",
            "--scenarios",
            ",".join(PROMISED),
            "--runs",
            "1",
            "--seconds",
            "0.2",
        ),
        *("--connections", "100", "--json", str(report)),
    )
    return Bench(code, said, report)


@pytest.mark.parametrize("scenario", PROMISED)
async def test_our_cluster_is_priced(priced: Bench, scenario: str) -> None:
    """A run tells the CPU of each of our processes, with every delivery checked, and a table."""
    assert priced.code == 0, priced.said
    report = msgspec.json.decode(priced.report.read_bytes(), type=Report)
    (run,) = (run for run in report.runs if run.scenario == scenario)
    assert run.figures[PROMISED[scenario]] > 0
    cost = "intake_cpu_us" if scenario == "idle" else "cpu_us"
    assert run.figures[cost] > 0
    assert {f"{cost}/{role}" for role in ("gateway", "redis", "persister")} <= run.figures.keys()
    table = priced.said.partition(BY_NAME[scenario].title)[2].partition("\n\n")[0]
    assert "parley-json" in table


async def test_an_unknown_name_is_refused() -> None:
    """A scenario that does not exist is named, with exit code 2, and nothing is measured."""
    code, said = await bench("--scenarios", "rooms49")
    assert code == 2
    assert "unknown: rooms49" in said


async def bench(*words: str) -> tuple[int, str]:
    """Run it to its end: exit code, and all it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench", *words),
        cwd=ROOT,
        env=environ({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
