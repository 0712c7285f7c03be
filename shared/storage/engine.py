"""The database engine, and what its failures mean to a client."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.config import ConfigError, invalid
from shared.errors import storage_unavailable

OUTAGE: Final = (DBAPIError, PoolTimeoutError, OSError)
"""Failures of a database that is away."""

LOCK_WAIT_MILLISECONDS: Final = 5000
"""How long SQLite waits for another writer before it gives up."""

CACHE_KIB: Final = 32_768
"""Memory for SQLite's pages, in the process that writes."""

WAL_PAGES: Final = 4000
"""After how many pages (16 MB) SQLite's log of changes goes into its file."""


Engine = AsyncEngine
"""Connections to the database; other packages name it without importing SQLAlchemy."""


def open_engine(url: str, *, writes: bool, synchronous: str = "FULL") -> AsyncEngine:
    """An engine; it connects when first used.

    Args:
        url: sqlite+aiosqlite:///FILE or another async dialect of SQLAlchemy's.
        writes: whether this process writes. On SQLite a writer takes the lock as its
            transaction begins, so it never finds out at the end; a reader cannot write at all.
        synchronous: SQLite's pragma. Entries leave the broker after the commit, so anything
            below FULL may lose accepted messages when the power fails.

    Raises:
        ConfigError: the URL is none that can be used here.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise invalid("DATABASE_URL", url, error) from None
    # What an error says of a statement leaves out the values: they are what people wrote.
    options = {"hide_parameters": True}
    try:
        if parsed.get_backend_name() != "sqlite":
            size = 4 if writes else 10
            return create_async_engine(parsed, pool_pre_ping=True, pool_size=size, **options)
        if writes and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(parsed, pool_size=2 if writes else 4, **options)
    except (ArgumentError, InvalidRequestError, ImportError, OSError) as error:
        if parsed.query and isinstance(error, ArgumentError):  # it may quote the whole
            raise invalid("DATABASE_URL", url, error) from None
        shown, [reason, *_] = parsed.set(query={}).render_as_string(), str(error).splitlines()
        raise ConfigError(f"DATABASE_URL={shown} is not valid: {reason}") from None
    _tune_sqlite(engine, writes=writes, synchronous=synchronous)
    return engine


def _tune_sqlite(engine: AsyncEngine, *, writes: bool, synchronous: str) -> None:

    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        # The driver must not begin transactions by itself; `begun` does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_MILLISECONDS}")
        if writes:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute(f"PRAGMA synchronous={synchronous}")
            # The pages that rows go to are all over the indexes: keep them, and copy each from
            # the log to the file once for several transactions.
            cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
            cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)


@contextmanager
def unavailable_as_error() -> Iterator[None]:
    """Turn a failure of the database into the error a client is told.

    Raises:
        ChatError: `storage_unavailable`.
    """
    try:
        yield
    except OUTAGE as error:
        raise storage_unavailable() from error
