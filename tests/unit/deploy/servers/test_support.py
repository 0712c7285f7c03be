"""Until when libraries get fixes."""

from datetime import date

import pytest

from deploy.servers.builds import Component
from deploy.servers.support import LIFETIMES, ended

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("name", "version", "since"),
    [
        ("OpenSSL", "3.0.15", "2026-09-07"),
        ("OpenSSL", "1.1.1w", "2023-09-11"),
        ("OpenSSL", "3.5.4", None),
        ("OpenSSL", "4.0.3", None),
        ("OpenSSL", "4.7.0", None),  # newer than all that is known
        ("OpenSSL", "0.9.8zh", "2019-09-11"),  # older than all that is known
        ("PCRE", "8.32", "2021-06-15"),
        ("PCRE2", "10.42", None),
        ("HAProxy", "2.8.25-5cf5d0683", None),
        ("HAProxy", "3.1.9", "2026-01-01"),
        ("HAProxy", "1.8.30", "2023-05-02"),
        ("Lua", "5.4.7", None),
        ("Go", "1.24.13", "2026-02-11"),
        ("Go", "1.25.9", "2026-08-19"),
        ("AWS-LC", "3.3.0", None),  # nothing is known of it
    ],
)
def test_what_gets_no_more_fixes(name: str, version: str, since: str | None) -> None:
    """A library is judged by the series of its version, and the day on which that ended."""
    found = ended([Component(name, version)], TODAY)
    assert [str(each.since) for each in found] == ([since] if since else [])


def test_a_series_is_maintained_until_its_day() -> None:
    """The first day without fixes is the first on which a library counts as not maintained."""
    haproxy = Component("HAProxy", "2.8.25")
    assert not ended([haproxy], date(2028, 3, 31))
    (found,) = ended([haproxy], date(2028, 4, 1))
    assert str(found) == "HAProxy 2.8.25 (no fixes since 2028-04-01)"


def test_every_date_has_a_source() -> None:
    """Whoever doubts a date finds where it comes from."""
    assert all(each.source.startswith("https://") for each in LIFETIMES.values())
