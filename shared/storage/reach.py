"""The obstacle to using the database, in a sentence for an operator."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gaierror
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config.reaching import Unreachable
from shared.storage.engine import OUTAGE

ANSWER_SECONDS: Final = 5.0
"""Seconds to wait for a connection and its first answer."""

DEFAULT_PORT: Final = 5432

_REFUSALS: Final = {
    "28P01": "{where} refuses the user name or the password; is it percent-encoded?",
    "28000": "{where} does not let this user in ({reason})",
    "3D000": "{where} has no database of this name ({reason})",
    "42501": "{where} does not let this user do what it needs ({reason})",
}
"""Answers of PostgreSQL that waiting does not change, by their codes (SQLSTATE)."""


async def reach_database(engine: AsyncEngine) -> None:
    """Connect to the database once. An SQLite file that is not there yet is not made.

    Raises:
        Unreachable: it cannot be used.
    """
    sqlite = engine.dialect.name == "sqlite"
    with outage_as_unreachable(engine):
        if sqlite and not Path(engine.url.database or "").exists():  # noqa: ASYNC240 - it is quick
            return
        async with asyncio.timeout(ANSWER_SECONDS):
            async with engine.connect() as connection:
                # A SELECT without a table would not look into a file of SQLite's.
                await connection.execute(text("PRAGMA schema_version" if sqlite else "SELECT 1"))


@contextmanager
def outage_as_unreachable(engine: AsyncEngine) -> Iterator[None]:
    """Turn a failure of the database into a sentence.

    Raises:
        Unreachable: the database cannot be used.
    """
    try:
        yield
    except (*OUTAGE, TypeError) as error:
        raise _unreachable(engine.url, error) from error


def _unreachable(url: URL, error: Exception) -> Unreachable:
    cause: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig else error
    # SQLAlchemy puts the class of the driver's error in front.
    reason = str(cause).split("\n", 1)[0].rpartition(">: ")[2] or "no answer"
    if isinstance(cause, OSError) and cause.errno:
        known = not isinstance(cause, gaierror)
        reason = os.strerror(cause.errno) if known else str(cause.strerror)
    if url.get_backend_name() == "sqlite":
        broken = isinstance(cause, sqlite3.DatabaseError) and "not a database" in reason
        sentence = f"the database {url.database} cannot be used ({reason})"
        return Unreachable(f"DATABASE_URL or DATA_DIR: {sentence}", permanent=broken)
    where = f"{url.host or url.query.get('host', '127.0.0.1')}:{url.port or DEFAULT_PORT}"
    code = getattr(cause, "sqlstate", None) or ""
    if code in _REFUSALS:
        sentence = _REFUSALS[code].format(where=where, reason=reason)
        return Unreachable(f"DATABASE_URL: {sentence}", permanent=True)
    if isinstance(error, TypeError):  # the driver's, of a word in the URL
        option = reason.rpartition("got an unexpected ")[2]
        sentence = f"it has an option that cannot be used ({option})"
        return Unreachable(f"DATABASE_URL: {sentence}", permanent=True)
    if "rejected SSL upgrade" in reason:
        sentence = f"{where} does not speak TLS: leave sslmode and ssl out"
        return Unreachable(f"DATABASE_URL: {sentence}", permanent=True)
    return Unreachable(f"DATABASE_URL: {where} cannot be reached ({reason})")
