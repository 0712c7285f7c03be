"""Formats: by which number a build says how what it wrote is to be read.

What the broker keeps and carries (records, rows of streams and logs, sessions, client ids, events
on channels) has one number, the format. A partition's record names the format that its epoch is
written in; every event carries it too. A build reads OLDEST to NEWEST, and writes the newest that
every living process reads (see `shared/broker/partitions/members.py` and decision 050).

What has to be done for a new format: give it the next number, write and read it where this module
is imported, and keep the readers of the old ones for as long as OLDEST names them. Take a fixture
of the format before it becomes an old one (tests/fixtures).
"""

from typing import Final

NEVER_OPENED: Final = 0
"""The format of a partition that has never been written to."""

LEGACY: Final = 1
"""What builds wrote that announced no format, under keys without a namespace.

It is read once, as a partition is brought over (`shared/broker/partitions/legacy.py`), and never
written.
"""

OLDEST: Final = 2
NEWEST: Final = 2
"""What this build can work with."""


def is_known(number: int) -> bool:
    """Whether this build can work with what is written in a format."""
    return OLDEST <= number <= NEWEST


def refusal(number: int) -> str:
    """The sentence for a process that finds data in a format it does not know."""
    if number > NEWEST:
        return (
            f"the data is in format {number}, and this build reads {OLDEST} to {NEWEST}: "
            "run a newer build, or have a newer build bring it back first (WRITE_FORMAT)"
        )
    return (
        f"the data is in format {number}, and this build reads {OLDEST} to {NEWEST}: "
        "bring it over with an older build of Parley first"
    )
