"""The installation of a database: its name, its number of partitions, and its identity."""

import os
import secrets
from typing import Final

import msgspec
from sqlalchemy import func, inspect, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config import ConfigError
from shared.model.database import DatabaseIdentity
from shared.model.formats import LEGACY, NEVER_OPENED, NEWEST, refusal
from shared.storage.identity import identify
from shared.storage.tables import SCHEMA, meta, partitions

OLDEST_SCHEMA: Final = "oldest_schema"
"""The key in `meta` of the lowest schema that a build must know to use the database."""

NEW_PARTITIONS: Final = 8
"""Partitions of a new installation, unless PARTITIONS is set."""

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"


class Installation(msgspec.Struct, frozen=True):
    """The installation that a database holds.

    Attributes:
        namespace: the beginning of its keys and channels in the broker.
        partitions: the number of its partitions, which never changes.
        stored_in: the identity of its database, as it was written there last.
    """

    namespace: str
    partitions: int
    stored_in: DatabaseIdentity


def new_namespace() -> str:
    """Make a random name for an installation."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


async def read_installation(engine: AsyncEngine) -> Installation | None:
    """Read the installation of a database; None before a persister has prepared the database.

    Raises:
        ConfigError: the database or the broker's data needs a newer build.
        DBAPIError, OSError: the database cannot be reached.
    """
    file = engine.url.database or ""
    if engine.dialect.name == "sqlite" and not os.path.exists(file):  # noqa: PTH110, ASYNC240 - it is quick
        return None  # connecting would create an empty file
    async with engine.connect() as connection:
        return await connection.run_sync(find_installation)


def find_installation(connection: Connection, known_schema: int = SCHEMA) -> Installation | None:
    """As `read_installation`, within a transaction, for a build that knows the schema `known`."""
    check_schema(connection, known_schema)
    if not inspect(connection).has_table("meta"):
        return None
    stored_values = {row.key: row.value for row in connection.execute(select(meta))}
    if "namespace" not in stored_values or "partitions" not in stored_values:
        return None
    written_in = connection.execute(select(func.max(partitions.c.format))).scalar_one()
    if written_in > NEWEST:
        raise ConfigError(refusal(written_in))
    stored_in = DatabaseIdentity(
        stored_values.get("database", ""), int(stored_values.get("adoptions", 0))
    )
    return Installation(stored_values["namespace"], int(stored_values["partitions"]), stored_in)


def check_schema(connection: Connection, known_schema: int) -> None:
    """Check that a build knows a schema that is new enough for the database.

    Raises:
        ConfigError: the database needs a newer build.
    """
    if not inspect(connection).has_table("meta"):
        return
    query = select(meta.c.value).where(meta.c.key == OLDEST_SCHEMA)
    oldest = int(connection.execute(query).scalar_one_or_none() or 0)
    if oldest > known_schema:
        raise ConfigError(
            f"the database needs a build that knows schema {oldest}, "
            f"and this one knows {known_schema}: run a newer build"
        )


def prepare_installation(
    connection: Connection, count: int | None, namespace: str, database: str, known_schema: int
) -> Installation:
    """Check settings against a database's installation, and write what the database lacks of it.

    Args:
        connection: in a transaction that excludes other processes.
        count: PARTITIONS; None if not set.
        namespace: NAMESPACE; empty if not set.
        database: the name of the database, from `identify`.
        known_schema: the schema that this build knows.

    Raises:
        ConfigError: the data was made with another PARTITIONS or NAMESPACE.
    """
    stored_values = {row.key: row.value for row in connection.execute(select(meta))}
    count = count or int(stored_values.get("partitions", NEW_PARTITIONS))
    if "partitions" not in stored_values:
        rows = [{"number": n, "epoch": 0, "position": 0, "owner": ""} for n in range(count)]
        connection.execute(partitions.insert(), [{**row, "format": NEVER_OPENED} for row in rows])
    initial_values = {
        "partitions": str(count),
        "namespace": namespace or new_namespace(),
        "database": database,
        "adoptions": "0",
    }
    if missing := [
        {"key": k, "value": v} for k, v in initial_values.items() if k not in stored_values
    ]:
        connection.execute(meta.insert(), missing)
    found = find_installation(connection, known_schema)
    if found is None:
        raise AssertionError("it was written above")
    check_settings(found, count, namespace)
    return found


def check_settings(found: Installation, count: int | None, namespace: str) -> None:
    """Check PARTITIONS and NAMESPACE, if set, against the installation.

    Raises:
        ConfigError: one of them differs.
    """
    if count not in (None, found.partitions):
        raise ConfigError(
            f"PARTITIONS={count} is not valid: this database was made with {found.partitions}, "
            "and this number cannot change"
        )
    if namespace not in ("", found.namespace):
        raise ConfigError(
            f"NAMESPACE={namespace} is not valid: this database belongs to the installation "
            f"{found.namespace}; run `python -m persister new-identity` to make it a new one"
        )


async def adopt(engine: AsyncEngine) -> Installation:
    """Let a database take the place of the one that its installation was stored in.

    Raises:
        ConfigError: the database holds no installation.
        DBAPIError, OSError: the database cannot be reached.
    """
    await _check_not_empty(engine)
    database = await identify(engine)
    async with engine.begin() as connection:
        found = await connection.run_sync(_require_installation)
        adoptions = found.stored_in.adoptions + 1
        await connection.run_sync(_update_meta, database=database, adoptions=str(adoptions))
        return await connection.run_sync(_require_installation)


async def new_identity(engine: AsyncEngine, namespace: str) -> Installation:
    """Make the copy of a database an installation of its own.

    The broker's data under the old name stays with the original.

    Args:
        engine: an engine of the copy that can write.
        namespace: the new installation's name; empty for a random one.

    Raises:
        ConfigError: the database holds no installation.
        DBAPIError, OSError: the database cannot be reached.
    """
    await _check_not_empty(engine)
    database = await identify(engine)
    async with engine.begin() as connection:
        name = namespace or new_namespace()
        await connection.run_sync(_update_meta, namespace=name, database=database, adoptions="0")
        # Data that a build without namespaces left in the broker belongs to the original.
        theirs = partitions.c.format == LEGACY
        await connection.execute(update(partitions).where(theirs).values(format=NEVER_OPENED))
        return await connection.run_sync(_require_installation)


async def confirm_location(engine: AsyncEngine, found: Installation) -> Installation:
    """Check that a database is the one in which its installation was stored.

    Raises:
        ConfigError: the database is a copy, or was restored or moved.
        DBAPIError, OSError: the database cannot be reached.
    """
    here = DatabaseIdentity(await identify(engine), found.stored_in.adoptions)
    if here == found.stored_in:
        return found
    if here.place != found.stored_in.place:
        raise ConfigError(another_database(found.namespace))
    return msgspec.structs.replace(found, stored_in=here)


def another_database(namespace: str) -> str:
    """The error text for a database in which its installation was not stored before."""
    return (
        f"this database is a copy of the one that the installation {namespace} is stored in, or "
        "was restored or moved: run `python -m persister adopt` to go on with it in the other's "
        "place, or `python -m persister new-identity` to make it an installation of its own"
    )


async def _check_not_empty(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.run_sync(_require_installation)


def _require_installation(connection: Connection) -> Installation:
    found = find_installation(connection)
    if found is None:
        raise ConfigError("this database holds no installation: start a persister on it first")
    return found


def _update_meta(connection: Connection, /, **values: str) -> None:
    for key, value in values.items():
        connection.execute(update(meta).where(meta.c.key == key).values(value=value))
