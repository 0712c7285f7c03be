"""Findings that are accepted for a time."""

from datetime import date
from pathlib import Path

import pytest

from deploy.supply.accepted import Accepted, Finding, judge, read_accepted
from shared.config import ConfigError

FINDING = Finding("one", "OpenSSL", "CVE-1", "one has CVE-1")
UNTIL = date(2027, 1, 31)
ENTRY = Accepted(package="one", component="OpenSSL", finding="CVE-1", until=UNTIL, reason="unused")


def test_a_finding_is_accepted_until_its_day() -> None:
    """On its last day it is told with its reason, and the day after it fails."""
    assert judge([FINDING], [ENTRY], UNTIL) == (
        [],
        ["one has CVE-1; accepted until 2027-01-31: unused"],
    )
    failing, _ = judge([FINDING], [ENTRY], date(2027, 2, 1))
    assert failing == ["one has CVE-1; that was accepted until 2027-01-31"]


@pytest.mark.parametrize(
    "other",
    [FINDING._replace(package="two"), FINDING._replace(component=""), FINDING._replace(what="CVE")],
)
def test_only_the_very_finding_is_accepted(other: Finding) -> None:
    """Another package, component or vulnerability fails."""
    assert judge([other], [ENTRY], UNTIL) == ([other.sentence], [])


def test_what_is_accepted_here() -> None:
    """The repository's own file can be read."""
    assert all(each.reason for each in read_accepted())


@pytest.mark.parametrize(
    "text",
    [
        "version = 2",
        "version = 1\n[[accepted]]\npackage = 'a'\nfinding = 'b'\nreason = 'c'",
        "version = 1\n[[accepted]]\npackage = 'a'\nfinding = 'b'\nuntil = 2027-01-31\nreason = ''",
        "version = 1\n[[accepted]]\npackages = 'a'",
        "not toml",
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str) -> None:
    """Nothing is accepted for ever or without a reason; the sentence names the file."""
    file = tmp_path / "accepted.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"accepted\.toml cannot be read"):
        read_accepted(file)
