"""The invented newer build of the fault suite, whose format has another layout."""

from typing import Final

from tests.faults.newer_build import NEWER_BUILD
from tests.faults.sources import changed_sources
from tests.security.mutations.trial import BESIDE_PACKAGES, run_tests

TESTS: Final = tuple(
    f"tests/integration/gateway/{test}"
    for test in (
        "test_history.py::test_pages_are_the_whole",
        "test_chats.py::test_the_list_is_the_naive_model",
    )
)
"""Tests of pages and of lists with unread messages, which scripts read from the rooms' logs."""


def test_it_reads_what_it_has_written() -> None:
    """A build with a newer format reads pages and unread messages of its own as this one does."""
    with changed_sources(NEWER_BUILD, *BESIDE_PACKAGES) as root:
        run = run_tests(root, TESTS, ())
    assert run.outcomes == dict.fromkeys(TESTS, "passed"), "\n".join(run.said)
