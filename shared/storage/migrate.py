"""Bring the database to this build's schema, one process at a time.

Migrations come in two kinds. Most only add (expand): a build that does not know what was added goes
on working. One that takes something away (contract) says in `needs_schema` from which schema on
builds do without it, and is run only once every living process knows that schema. So builds of two
schemas live side by side, and the database says which builds may still use it.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.storage.identity import identify
from shared.storage.installation import (
    OLDEST_SCHEMA,
    Installation,
    check_schema,
    prepare_installation,
)
from shared.storage.tables import meta

_LOCK = 0x7061726C6579
"""The advisory lock's number on PostgreSQL: "parley" in ASCII."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"


async def migrate(
    engine: AsyncEngine,
    *,
    partitions: int | None = None,
    namespace: str = "",
    min_known_schema: int | None = None,
    migrations: Path = MIGRATIONS,
) -> Installation:
    """Run what migrations are missing, and hold settings to what the data was made with.

    On SQLite the transaction holds the write lock from its beginning, on PostgreSQL an advisory
    lock: processes that start together migrate one after the other.

    Args:
        engine: one that writes.
        partitions: PARTITIONS, if given.
        namespace: NAMESPACE, if given.
        min_known_schema: the lowest schema that a running process knows; None where that is not
            known, and then only migrations that add run.
        migrations: the folder of the migrations.

    Raises:
        ConfigError: the data was made with another PARTITIONS or NAMESPACE, or needs a newer build.
        sqlalchemy.exc.DBAPIError: the database is away.
    """
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        known_schema = await connection.run_sync(_upgrade, migrations, min_known_schema)
        database = await identify(engine)
        return await connection.run_sync(
            prepare_installation, partitions, namespace, database, known_schema
        )


def _upgrade(connection: Connection, migrations: Path, min_known_schema: int | None) -> int:
    """Run what is missing and may be run; the schema that this build knows."""
    scripts = _scripts(migrations)
    current = int(MigrationContext.configure(connection).get_current_revision() or 0)
    known_schema = int(scripts.get_current_head() or 0)
    check_schema(connection, known_schema)
    if current >= known_schema:
        return known_schema  # a newer build may have been here
    target, oldest = _target(scripts, current, min_known_schema)
    if target > current:
        config = Config()
        config.set_main_option("script_location", str(migrations))
        config.attributes["connection"] = connection
        command.upgrade(config, f"{target:04}")
    if oldest is not None:
        _write_oldest(connection, oldest)
    return known_schema


def _target(
    scripts: ScriptDirectory, current: int, min_known_schema: int | None
) -> tuple[int, int | None]:
    """How far to migrate now, and the oldest schema that may be used then, if that changes."""
    target, oldest = current, None
    for script in _after(scripts, current):
        needs: int | None = getattr(script.module, "needs_schema", None)
        if needs is not None:
            # Before there is anything nobody can be disturbed.
            if current and (min_known_schema is None or min_known_schema < needs):
                break
            oldest = needs
        target = int(script.revision)
    return target, oldest


def _after(scripts: ScriptDirectory, current: int) -> list[Script]:
    """The migrations that are missing, in order."""
    return [s for s in reversed(list(scripts.walk_revisions())) if int(s.revision) > current]


def _scripts(migrations: Path) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return ScriptDirectory.from_config(config)


def _write_oldest(connection: Connection, oldest: int) -> None:
    row = {"key": OLDEST_SCHEMA, "value": str(oldest)}
    connection.execute(meta.delete().where(meta.c.key == OLDEST_SCHEMA))
    connection.execute(meta.insert(), [row])
