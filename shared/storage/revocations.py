"""Reads and writes of revocations."""

import time
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import asdict, replace
from sqlalchemy import Row, delete, func, inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config import ConfigError
from shared.model.revocations import Revocation, RevocationKind
from shared.storage.reader import Reader
from shared.storage.tables import REVOCATIONS_SINCE_MIGRATION, revocations

PAGE_ROWS: Final = 10_000
"""Revocations in one read."""

KEPT_SECONDS: Final = 3600
"""Seconds for which a revocation without effect stays, so that every gateway reads that it is."""

Change = Callable[[Revocation | None], Revocation | None]
"""Makes a revocation from the present one, or from None where there is none; None for no change."""


class RevocationReader:
    """Reads revocations; raises the same errors as `Reader`.

    A gateway may run before a persister has migrated the database. Until then there are none.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def from_number(self, number: int) -> list[Revocation]:
        """The revocations from a number on, in the order of their numbers; at most `PAGE_ROWS`."""
        if not await self._reader.has_migration(REVOCATIONS_SINCE_MIGRATION):
            return []
        query = select(revocations).where(revocations.c.number >= number)
        rows = await self._reader.rows(query.order_by(revocations.c.number).limit(PAGE_ROWS))
        return [revocation_of(row) for row in rows]


async def list_revocations(engine: AsyncEngine) -> list[Revocation]:
    """All revocations, in the order in which they were made.

    Raises:
        ConfigError: the database has no table of them.
        DBAPIError, OSError: the database cannot be reached.
    """
    async with engine.connect() as connection:
        await connection.run_sync(_require_table)
        rows = await connection.execute(select(revocations).order_by(revocations.c.number))
        return [revocation_of(row) for row in rows]


async def change_revocation(
    engine: AsyncEngine, kind: RevocationKind, subject: str, change: Change
) -> Revocation | None:
    """Write a revocation with a new number, and delete those that have long been without effect.

    Args:
        engine: an engine that can write.
        kind: of the revocation.
        subject: of the revocation.
        change: makes it from the present one of its kind and subject. It is called in the
            transaction that writes, so nobody else changes that one meanwhile.

    Returns:
        What was written; None if `change` returned None, and nothing was.

    Raises:
        ConfigError: the database has no table of them.
        DBAPIError, OSError: the database cannot be reached.
    """
    async with engine.begin() as connection:
        return await connection.run_sync(_change, kind, subject, change)


def _change(
    connection: Connection, kind: RevocationKind, subject: str, change: Change
) -> Revocation | None:
    _require_table(connection)
    if connection.dialect.name == "postgresql":
        # Numbers become visible in their order, or a gateway that has read 8 would never read 7.
        connection.execute(text("LOCK TABLE revocations IN EXCLUSIVE MODE"))
    table = revocations.c
    present = (table.kind == kind, table.subject == subject)
    row = connection.execute(select(revocations).where(*present)).one_or_none()
    made = change(None if row is None else revocation_of(row))
    if made is None:
        return None
    last: int = connection.execute(select(func.coalesce(func.max(table.number), 0))).scalar_one()
    made = replace(made, number=last + 1)
    connection.execute(delete(revocations).where(*present))
    connection.execute(revocations.insert(), asdict(made))
    ended = (time.time() - KEPT_SECONDS) * 1000
    connection.execute(delete(revocations).where(table.until < ended, table.number < made.number))
    return made


def _require_table(connection: Connection) -> None:
    if not inspect(connection).has_table(revocations.name):
        raise ConfigError(
            "this database has no table of revocations yet: start a persister of this build on it"
        )


def revocation_of(row: Row[Any]) -> Revocation:
    """The revocation of a row."""
    return Revocation(row.kind, row.subject, row.number, row.at, row.before, row.until)
