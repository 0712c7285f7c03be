"""A check that a run of the tests had every suite, and skipped no test.

A green run proves nothing about tests that were not collected or were skipped, so this reads
pytest's JUnit report and fails when there are any. A test that needs what a machine may forbid,
such as to mount a file system, may be skipped: that is told, and is no failure.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from shared.command_line import command_line

NOT_ALLOWED_HERE: Final = "this machine does not allow it"
"""Begins the reason of a skip that is no gap."""


class Gaps(NamedTuple):
    """What a run lacks, in words: gaps, and skips that are none."""

    found: list[str]
    excused: list[str]


def gaps(report: str, suites: Sequence[str]) -> Gaps:
    """Return what the run of a report lacks: suites without a test, skipped tests."""
    cases = list(ET.fromstring(report).iter("testcase"))  # noqa: S314  pytest wrote it just now
    names = [f"{case.get('classname')}.{case.get('name')}" for case in cases]
    ran = Counter(name.split(".")[1] for name in names if name.startswith("tests."))
    lacks = Gaps([f"no test of tests/{suite} ran" for suite in suites if not ran[suite]], [])
    for name, case in zip(names, cases, strict=True):
        if (skipped := case.find("skipped")) is None:
            continue
        reason = skipped.get("message", "")
        excused = reason.startswith(NOT_ALLOWED_HERE)
        (lacks.excused if excused else lacks.found).append(f"{name} was skipped: {reason}")
    return lacks


def main() -> int:
    """Print the gaps of the run whose report is named on the command line."""
    parser = command_line("tests.support.suites", __doc__)
    parser.add_argument("report", metavar="REPORT", type=Path, help="pytest's JUnit report")
    parser.add_argument("suites", metavar="SUITE", nargs="+", help="a folder of tests/")
    given = parser.parse_args()
    lacks = gaps(given.report.read_text(encoding="utf-8"), given.suites)
    for line in lacks.found + lacks.excused:
        sys.stderr.write(f"{line}\n")
    return 1 if lacks.found else 0


if __name__ == "__main__":
    sys.exit(main())
