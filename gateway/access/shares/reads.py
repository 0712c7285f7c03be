"""The fair queue of the actions that read the broker or SQL."""

from typing import Final

from gateway.access.shares.fair_queue import FairQueue

READ_SLOTS: Final = 16
"""Actions that read at a time; about as many as there are connections to SQL."""

READ_SLOTS_PER_USER: Final = 4
"""Actions of one user of an address that read at a time."""

MAX_WAITING_READS: Final = 10_000
"""Actions that may wait to read. Each is of another connection, as its frames are read in order."""

MAX_WAITING_READS_PER_USER: Final = 1000
"""Actions of one user of an address that may wait to read."""

READ_SLOT_SECONDS: Final = 1.0
"""Seconds after which a slot goes to the next one, so that a broker or a database that does not
answer keeps nobody waiting longer than its own time-out."""


def read_queue() -> FairQueue:
    """Make the queue of a gateway."""
    return FairQueue(
        READ_SLOTS,
        max_waiting=MAX_WAITING_READS,
        max_waiting_per_user=MAX_WAITING_READS_PER_USER,
        max_slots_per_user=READ_SLOTS_PER_USER,
        max_slot_seconds=READ_SLOT_SECONDS,
    )
