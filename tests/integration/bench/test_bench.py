"""`make bench` against a real cluster, as short as it goes. How fast it is, is not asserted."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from tests.bench.report import Report
from tests.support.process import ROOT

PROMISED = {"rooms50x4": "deliveries", "idle": "connections", "reconnect": "clients"}


@pytest.mark.parametrize("scenario", PROMISED)
async def test_our_cluster_is_priced(scenario: str, tmp_path: Path) -> None:
    """A run tells the CPU of each of our processes, with every delivery checked, and a table."""
    code, said = await bench(
        *("--systems", "parley-json", "--scenarios", scenario, "--runs", "1", "--seconds", "0.2"),
        *("--connections", "100"),
        *("--json", str(tmp_path / "out.json")),
    )
    assert code == 0, said
    report = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Report)
    (run,) = report.runs
    assert run.figures[PROMISED[scenario]] > 0
    cost = "intake_cpu_us" if scenario == "idle" else "cpu_us"
    assert run.figures[cost] > 0
    assert {f"{cost}/{role}" for role in ("gateway", "redis", "persister")} <= run.figures.keys()
    assert "parley-json" in said


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
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
