"""Whether a run of the tests was a whole one: `python -m tests.support.suites REPORT SUITE...`.

A green run proves nothing about tests that were not collected or were skipped, so this reads
pytest's JUnit report and fails when there are any.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET


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
    found = gaps(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2:])
    for gap in found:
        sys.stderr.write(f"{gap}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
