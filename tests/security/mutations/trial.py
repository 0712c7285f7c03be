"""One mutation tried: the tests that it names, run on a copy of the sources without the defence."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

from tests.faults.sources import Change, changed_sources
from tests.security.mutations.mutation import Mutation

Verdict = Literal["caught", "SURVIVED", "stale", "broken"]
"""What a trial found: all tests failed; one passed; the text to replace is not there once; a test
did not run, or failed for another reason."""

Outcome = Literal["passed", "failed", "broken"]
"""What a test did: `failed` by an assertion, `broken` by anything else."""

BESIDE_PACKAGES: Final = ("pyproject.toml", "docs", "requirements", "tools", "Makefile")
"""What tests read of the repository beside its packages."""

ASSERTIONS: Final = ("assert ", "AssertionError", "Failed: DID NOT RAISE", "TimeoutError")
"""How the message of a failure begins, if it is that of an assertion. What a test waits for and
does not get, such as a refusal, is one: the same test gets it where nothing was taken out."""

IMPATIENT: Final = Change("tests/support/waiting.py", "HANGS_AFTER = 60.0", "HANGS_AFTER = 30.0")
"""What is broken does not heal: it need not be waited for as long as elsewhere. The tests are run
with it without a change, too, which shows that it is long enough on this machine."""

LIMIT_SECONDS: Final = 600.0
"""Seconds that a test of one run may take, with all its parameters and what it starts."""

LAST_LINES: Final = 25
"""Lines of pytest's output that are shown of a trial which caught nothing."""


@dataclass(frozen=True)
class Trial:
    """What was found without a defence.

    Attributes:
        verdict: what a trial can find.
        seconds: how long it took.
        details: sentences about what is wrong; none for `caught`.
    """

    verdict: Verdict
    seconds: float
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run of tests.

    Attributes:
        outcomes: of each test, by the id that it was asked for; those that did not run are not in
            it.
        said: the end of pytest's output.
    """

    outcomes: dict[str, Outcome]
    said: tuple[str, ...]


def run_unchanged(tests: Iterable[str]) -> Run:
    """Run tests on a copy of the sources as they are."""
    with changed_sources((IMPATIENT,), *BESIDE_PACKAGES) as root:
        return run_tests(root, tests, ())


def try_mutation(mutation: Mutation) -> Trial:
    """Take a defence out, and run the tests that must notice."""
    begun = time.monotonic()
    try:
        with changed_sources((*mutation.changes, IMPATIENT), *BESIDE_PACKAGES) as root:
            run = run_tests(root, mutation.tests, mutation.fails_by)
    except (ValueError, FileNotFoundError) as error:
        return Trial("stale", time.monotonic() - begun, (str(error),))
    verdict, details = judge(mutation.tests, run)
    return Trial(verdict, time.monotonic() - begun, details)


def judge(tests: Iterable[str], run: Run) -> tuple[Verdict, tuple[str, ...]]:
    """Return what a run without a defence shows, and what is wrong with it."""
    passed = [test for test in tests if run.outcomes.get(test) == "passed"]
    broken = [test for test in tests if run.outcomes.get(test) in {"broken", None}]
    if broken:
        lines = (f"did not run, or failed for another reason: {test}" for test in broken)
        return "broken", (*lines, *run.said)
    if passed:
        return "SURVIVED", tuple(f"passes without the defence: {test}" for test in passed)
    return "caught", ()


def run_tests(root: Path, tests: Iterable[str], fails_by: tuple[str, ...]) -> Run:
    """Run tests of a copy of the sources.

    Args:
        root: the copy.
        tests: pytest's ids.
        fails_by: names of exceptions that count as those of an assertion.
    """
    wanted = tuple(tests)
    paths = (root / "clients" / "python" / "src", root)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    with tempfile.TemporaryDirectory(prefix="parley-report-") as folder:
        report = Path(folder) / "report.xml"
        options = ("-q", "-p", "no:cacheprovider", f"--junitxml={report}", "--tb=short")
        said = _run_to_the_end(
            (sys.executable, "-m", "pytest", *options, *wanted), root, env, len(wanted)
        )
        found = report.read_text(encoding="utf-8") if report.exists() else "<testsuites/>"
    return Run(outcomes(found, wanted, fails_by), tuple(said.splitlines()[-LAST_LINES:]))


def outcomes(report: str, wanted: Iterable[str], fails_by: tuple[str, ...]) -> dict[str, Outcome]:
    """Read pytest's JUnit report: what each test that was asked for did.

    A test of many parameters has failed if one of them did.
    """
    cases = [
        (_id(case), _outcome(case, fails_by))
        for case in ET.fromstring(report).iter("testcase")  # noqa: S314  pytest wrote it just now
    ]
    found: dict[str, Outcome] = {}
    for test in wanted:
        seen = {outcome for name, outcome in cases if name == test or name.startswith(f"{test}[")}
        for outcome in ("failed", "broken", "passed"):
            if outcome in seen:
                found[test] = outcome
                break
    return found


def _id(case: ET.Element) -> str:
    """Return the id of a test case: in the report its file is written as a module."""
    return f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"


def _outcome(case: ET.Element, fails_by: tuple[str, ...]) -> Outcome:
    failure = case.find("failure")
    if failure is None:
        ended_otherwise = case.find("error") is not None or case.find("skipped") is not None
        return "broken" if ended_otherwise else "passed"
    message = failure.get("message", "")
    kind = message.partition(":")[0].rpartition(".")[2]
    return "failed" if message.startswith(ASSERTIONS) or kind in fails_by else "broken"


def _run_to_the_end(command: tuple[str, ...], root: Path, env: dict[str, str], tests: int) -> str:
    """Run so many tests with all that they start, for a bounded time; return what was said."""
    with subprocess.Popen(
        command,
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=LIMIT_SECONDS * tests)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return said
