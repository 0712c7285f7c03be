"""Bring the database to this build's schema, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config import ConfigError
from shared.storage.tables import meta, partitions

_LOCK = 0x7061726C6579
"""The advisory lock's number on PostgreSQL: "parley" in ASCII."""


async def migrate(engine: AsyncEngine, partition_count: int) -> None:
    """Run what migrations are missing, and hold PARTITIONS to what the data was made with.

    On SQLite the transaction holds the write lock from its beginning, on PostgreSQL an advisory
    lock: processes that start together migrate one after the other.

    Args:
        engine: one that writes.
        partition_count: PARTITIONS.

    Raises:
        ConfigError: the data was made with another PARTITIONS.
        sqlalchemy.exc.DBAPIError: the database is away.
    """
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        await connection.run_sync(_upgrade)
        await connection.run_sync(_check_partitions, partition_count)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _check_partitions(connection: Connection, count: int) -> None:
    query = select(meta.c.value).where(meta.c.key == "partitions")
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:
        connection.execute(meta.insert().values(key="partitions", value=str(count)))
        fresh = [{"number": n, "epoch": 0, "position": 0, "owner": ""} for n in range(count)]
        connection.execute(partitions.insert(), fresh)
    elif int(stored) != count:
        raise ConfigError(
            f"PARTITIONS={count} is not valid: this database was made with {stored}, for good"
        )
