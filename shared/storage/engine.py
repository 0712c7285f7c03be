"""The database engine, and the error that its failures are for chat clients."""

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
"""Errors of a database that cannot be reached."""

LOCK_WAIT_MILLISECONDS: Final = 5000
"""Time that SQLite waits for the lock of another writer before it fails."""

CACHE_KIB: Final = 32_768
"""SQLite's page cache in the process that writes."""

WAL_PAGES: Final = 4000
"""Pages in SQLite's write-ahead log (16 MB) after which they are copied to the database file."""


Engine = AsyncEngine
"""Connections to the database; other packages name it without importing SQLAlchemy."""


def open_engine(url: str, *, writes: bool, synchronous: str = "FULL") -> AsyncEngine:
    """Make an engine; it connects when first used.

    Args:
        url: sqlite+aiosqlite:///FILE or another async dialect of SQLAlchemy's.
        writes: True for the process that writes. On SQLite its transactions take the write lock at
            their beginning, so that they cannot fail for it at the end. Other processes cannot
            write at all.
        synchronous: SQLite's pragma. Entries are trimmed from the broker after the commit, so
            values below FULL may lose accepted messages in a power failure.

    Raises:
        ConfigError: the URL cannot be used.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise invalid("DATABASE_URL", url, error) from None
    # Errors name a statement without its values, which are users' messages.
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
        # The driver must not begin transactions by itself; `on_begin` does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_MILLISECONDS}")
        if writes:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute(f"PRAGMA synchronous={synchronous}")
            # Rows go to pages all over the indexes. A large cache keeps these pages, and a rare
            # checkpoint copies each of them to the file once for several transactions.
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
    """Turn a failure of the database into the error that a client gets.

    Raises:
        ChatError: `storage_unavailable`.
    """
    try:
        yield
    except OUTAGE as error:
        raise storage_unavailable() from error
