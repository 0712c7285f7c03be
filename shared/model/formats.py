"""Formats: version numbers of the data in the broker.

All data that the broker stores and carries (records, rows of streams, logs, sessions, clientMsgIds,
events on channels) has one version number, the format. It is a property of a partition's epoch: the
partition's record has it, and so does every event. A build reads OLDEST to NEWEST, and writes the
newest that every running process reads (see `shared/broker/partitions/members.py`, decision 050).

To add a format, give it the next number, write and read it where this module is imported, and keep
the readers of older formats down to OLDEST. Before that, take a fixture of the present format
(tests/fixtures).
"""

from typing import Final

NEVER_OPENED: Final = 0
"""The format of a partition that has never been written to."""

LEGACY: Final = 1
"""The format of builds that announced none, under keys without a namespace.

It is read once, when a partition is migrated (`shared/broker/partitions/legacy.py`), and never
written.
"""

OLDEST: Final = 2
NEWEST: Final = 2
"""The formats that this build reads and writes."""


def is_known(number: int) -> bool:
    """Return True if this build reads and writes the format."""
    return OLDEST <= number <= NEWEST


def refusal(number: int) -> str:
    """The sentence for a process that finds data in a format it does not know."""
    if number > NEWEST:
        return (
            f"the data is in format {number}, and this build reads {OLDEST} to {NEWEST}: "
            "run a newer build, or first let a newer build convert it back (WRITE_FORMAT)"
        )
    return (
        f"the data is in format {number}, and this build reads {OLDEST} to {NEWEST}: "
        "convert it with an older build of Parley first"
    )
