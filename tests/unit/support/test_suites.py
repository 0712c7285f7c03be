"""The check that a run of the tests was a whole one."""

import pytest

from tests.support.suites import NOT_ALLOWED_HERE, gaps

WHOLE = ["unit", "integration", "cluster"]


def report(suites: list[str], inside: str = "") -> str:
    cases = [
        f'<testcase classname="tests.{suite}.test_x" name="test_y">{inside}</testcase>'
        for suite in suites
    ]
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


def test_a_whole_run_has_no_gaps() -> None:
    """A run in which every suite ran and nothing was skipped is whole."""
    assert gaps(report(WHOLE), WHOLE) == ([], [])


@pytest.mark.parametrize("missing", WHOLE)
def test_a_suite_that_did_not_run_is_a_gap(missing: str) -> None:
    """A suite of which nothing was collected is named."""
    left = [suite for suite in WHOLE if suite != missing]
    assert gaps(report(left), WHOLE).found == [f"no test of tests/{missing} ran"]


def test_a_skipped_test_is_a_gap() -> None:
    """A skipped test is named, each of them, with its reason."""
    assert gaps(report(WHOLE, '<skipped message="no wool"/>'), WHOLE) == (
        [f"tests.{suite}.test_x.test_y was skipped: no wool" for suite in WHOLE],
        [],
    )


def test_what_a_machine_forbids_is_told_and_no_gap() -> None:
    """A test that a machine does not allow is named with its reason, and the run is whole."""
    reason = f"{NOT_ALLOWED_HERE}: no mounts"
    found, excused = gaps(report(WHOLE, f'<skipped message="{reason}"/>'), WHOLE)
    assert found == []
    assert excused == [f"tests.{suite}.test_x.test_y was skipped: {reason}" for suite in WHOLE]
