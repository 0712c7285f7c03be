"""The settings that each process reads.

A cluster gives each process what it reads and no more: what a process does not have, nobody who
takes it over finds there.
"""

from typing import Final, Literal

from shared.config.settings import Settings

Process = Literal["gateway", "persister"]

READ_BY_PERSISTERS: Final = frozenset(
    {
        "PERSISTER_NAME",
        "WRITE_FORMAT",
        "LOG_LENGTH",
        "ROOM_IDLE",
        "BATCH_SIZE",
        "BATCH_AGE",
        "SQLITE_SYNCHRONOUS",
        "LEASE_SECONDS",
    }
)
"""Settings that only persisters read."""

READ_BY_BOTH: Final = frozenset(
    {
        "ADMIN_HOST",
        "ADMIN_PORT",
        "OPERATOR_SECRET",
        "PUBLIC_URL",
        "SECURITY_LOG",
        "DATA_DIR",
        "REDIS_URL",
        "DATABASE_URL",
        "NAMESPACE",
        "PARTITIONS",
        "MAX_BACKLOG",
        "WAKE_AFTER",
        "DEDUPE_MINUTES",
        "START_SECONDS",
        "LOG_FORMAT",
        "LOG_LEVEL",
    }
)
"""Settings that gateways and persisters read. All others are for gateways only."""


def read_by(process: Process) -> frozenset[str]:
    """The names of the settings that a process reads."""
    if process == "persister":
        return READ_BY_PERSISTERS | READ_BY_BOTH
    return frozenset(Settings.__struct_encode_fields__) - READ_BY_PERSISTERS
