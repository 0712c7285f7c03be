"""Until when what faces the network gets fixes from its makers.

The dates are those that the makers give. A distribution goes on by itself with what it ships, and
says nothing of it in the version: whatever belongs to a package of the distribution counts as
maintained (`deploy.servers.packages`), and is not looked up here.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from deploy.servers.builds import Component, numbers

CHECKED: Final = date(2026, 12, 1)
"""When these dates were compared with their sources for the last time."""


class Lifetime(NamedTuple):
    """Series of versions, and the first day on which each gets no more fixes.

    Attributes:
        ends: by the beginning of the version.
        source: where that is said.
        last: True if nothing comes after these series: a newer version is none that is known.
    """

    ends: Mapping[str, date]
    source: str
    last: bool = False


class Ended(NamedTuple):
    """A component that gets no more fixes from its makers."""

    component: Component
    since: date
    source: str

    def __str__(self) -> str:
        return f"{self.component} (no fixes since {self.since})"


LIFETIMES: Final[Mapping[str, Lifetime]] = {
    # The site names quarters; the first day of one counts.
    "HAProxy": Lifetime(
        {
            "2.2": date(2025, 4, 23),
            "2.4": date(2026, 4, 1),
            "2.5": date(2023, 5, 2),
            "2.6": date(2027, 4, 1),
            "2.7": date(2024, 4, 5),
            "2.8": date(2028, 4, 1),
            "2.9": date(2025, 3, 21),
            "3.0": date(2029, 4, 1),
            "3.1": date(2026, 1, 1),
            "3.2": date(2030, 4, 1),
            "3.3": date(2027, 1, 1),
            "3.4": date(2031, 4, 1),
        },
        "https://www.haproxy.org/",
    ),
    # Five years for 3.0 and 3.5, two for others up to 3.4, and 13 months for those after it.
    "OpenSSL": Lifetime(
        {
            "1.0.2": date(2019, 12, 31),
            "1.1.0": date(2019, 9, 11),
            "1.1.1": date(2023, 9, 11),
            "3.0": date(2026, 9, 7),
            "3.1": date(2025, 3, 14),
            "3.2": date(2025, 11, 23),
            "3.3": date(2026, 4, 9),
            "3.4": date(2026, 10, 22),
            "3.5": date(2030, 4, 8),
            "3.6": date(2026, 11, 1),
            "4.0": date(2027, 5, 14),
        },
        "https://openssl-library.org/policies/releasestrat/",
    ),
    # The day of 8.45, "expected to be the final release". PCRE2, with versions from 10 on, is
    # another library, by another name.
    "PCRE": Lifetime({"8": date(2021, 6, 15)}, "https://www.pcre.org/", last=True),
    # The days of the last releases, after which "there will be no further releases". 5.4 and 5.5
    # have no such day.
    "Lua": Lifetime(
        {"5.1": date(2012, 2, 17), "5.2": date(2015, 3, 7), "5.3": date(2020, 9, 25)},
        "https://www.lua.org/versions.html",
    ),
    # A version ends when the second one after it comes.
    "Go": Lifetime(
        {
            "1.22": date(2025, 2, 11),
            "1.23": date(2025, 8, 12),
            "1.24": date(2026, 2, 11),
            "1.25": date(2026, 8, 19),
        },
        "https://go.dev/doc/devel/release#policy",
    ),
}


def ended(components: Iterable[Component], today: date) -> list[Ended]:
    """Return those of the components that get no more fixes on a day.

    A version that is newer than all that is known counts as one that does, an older one as one that
    does not. Nothing is said of a library that is not in the table.
    """
    found = []
    for component in components:
        lifetime = LIFETIMES.get(component.name)
        end = _end(lifetime, component.version) if lifetime else None
        if lifetime and end and end <= today:
            found.append(Ended(component, end, lifetime.source))
    return found


def _end(lifetime: Lifetime, version: str) -> date | None:
    given = numbers(version)
    series = {numbers(name): end for name, end in lifetime.ends.items()}
    for length in range(len(given), 0, -1):
        if given[:length] in series:
            return series[given[:length]]
    older = given < max(series)
    return min(series.values()) if older or lifetime.last else None
