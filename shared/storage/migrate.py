"""Migrations to this build's schema, by one process at a time.

There are two kinds of migrations. Most only add (expand): builds that do not know the addition go
on working. A migration that removes something (contract) has in `needs_schema` the schema from
which on builds do without it. It runs only when every running process knows that schema. So builds
of two schemas can run side by side, and the database says which builds may still use it.
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
    """Run missing migrations, and check the settings against the installation.

    The transaction holds the write lock on SQLite, and an advisory lock on PostgreSQL. So processes
    that start together migrate one after the other.

    Args:
        engine: an engine that can write.
        partitions: PARTITIONS; None if not set.
        namespace: NAMESPACE; empty if not set.
        min_known_schema: the lowest schema that a running process knows; None where that is not
            known, and then only migrations that add run.
        migrations: the folder of the migrations.

    Raises:
        ConfigError: the data was made with another PARTITIONS or NAMESPACE, or needs a newer build.
        sqlalchemy.exc.DBAPIError: the database cannot be reached.
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
    """Run the missing migrations that may run now; return the schema that this build knows."""
    scripts = _scripts(migrations)
    current = int(MigrationContext.configure(connection).get_current_revision() or 0)
    known_schema = int(scripts.get_current_head() or 0)
    check_schema(connection, known_schema)
    if current >= known_schema:
        return known_schema  # current may be higher: a newer build has migrated
    target, oldest = _target(scripts, current, min_known_schema)
    if target > current:
        config = _config(migrations)
        config.attributes["connection"] = connection
        command.upgrade(config, f"{target:04}")
    if oldest is not None:
        _write_oldest(connection, oldest)
    return known_schema


def _target(
    scripts: ScriptDirectory, current: int, min_known_schema: int | None
) -> tuple[int, int | None]:
    """The schema to migrate to now, and the new value of OLDEST_SCHEMA (None: unchanged)."""
    target, oldest = current, None
    for script in _after(scripts, current):
        needs: int | None = getattr(script.module, "needs_schema", None)
        if needs is not None:
            # A new database (current 0) has no other builds that a removal could break.
            if current and (min_known_schema is None or min_known_schema < needs):
                break
            oldest = needs
        target = int(script.revision)
    return target, oldest


def _after(scripts: ScriptDirectory, current: int) -> list[Script]:
    """The migrations that are missing, in order."""
    return [s for s in reversed(list(scripts.walk_revisions())) if int(s.revision) > current]


def _scripts(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path) -> Config:
    config = Config()
    # It takes `%` for the beginning of a reference to another option.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def _write_oldest(connection: Connection, oldest: int) -> None:
    row = {"key": OLDEST_SCHEMA, "value": str(oldest)}
    connection.execute(meta.delete().where(meta.c.key == OLDEST_SCHEMA))
    connection.execute(meta.insert(), [row])
