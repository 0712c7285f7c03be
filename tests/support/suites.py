"""A check that a run of the tests had every suite, and skipped no test.

A green run proves nothing about tests that were not collected or were skipped, so this reads
pytest's JUnit report and fails when there are any.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from shared.command_line import command_line


def gaps(report: str, suites: Sequence[str]) -> list[str]:
    """Return in words what the run of a report lacks: suites without a test, skipped tests."""
    cases = list(ET.fromstring(report).iter("testcase"))  # noqa: S314  pytest wrote it just now
    names = [f"{case.get('classname')}.{case.get('name')}" for case in cases]
    ran = Counter(name.split(".")[1] for name in names if name.startswith("tests."))
    empty = [f"no test of tests/{suite} ran" for suite in suites if not ran[suite]]
    skipped = [
        f"{name} was skipped"
        for name, case in zip(names, cases, strict=True)
        if case.find("skipped") is not None
    ]
    return empty + skipped


def main() -> int:
    """Print the gaps of the run whose report is named on the command line."""
    parser = command_line("tests.support.suites", __doc__)
    parser.add_argument("report", metavar="REPORT", type=Path, help="pytest's JUnit report")
    parser.add_argument("suites", metavar="SUITE", nargs="+", help="a folder of tests/")
    given = parser.parse_args()
    found = gaps(given.report.read_text(encoding="utf-8"), given.suites)
    for gap in found:
        sys.stderr.write(f"{gap}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
