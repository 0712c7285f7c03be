"""The database engine, and the error that its failures are for chat clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.config import ConfigError
from shared.errors import storage_unavailable
from shared.storage.url import database_url

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


def open_engine(database: str | Path, *, writes: bool, synchronous: str = "FULL") -> AsyncEngine:
    """Make an engine; it connects when first used.

    Args:
        database: a URL, as DATABASE_URL has it, or the path of an SQLite file.
        writes: True for the process that writes. On SQLite its transactions take the write lock at
            their beginning, so that they cannot fail for it at the end. Other processes cannot
            write at all.
        synchronous: SQLite's pragma. Entries are trimmed from the broker after the commit, so
            values below FULL may lose accepted messages in a power failure.

    Raises:
        ConfigError: the URL or the path cannot be used.
    """
    url = database_url(database)
    # Errors name a statement without its values, which are users' messages.
    options = {"hide_parameters": True}
    if url.get_backend_name() != "sqlite":
        size = 4 if writes else 10
        return create_async_engine(url, pool_pre_ping=True, pool_size=size, **options)
    if writes:
        _make_folder(Path(url.database or ""))
    engine = create_async_engine(url, pool_size=2 if writes else 4, **options)
    _tune_sqlite(engine, writes=writes, synchronous=synchronous)
    return engine


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"DATABASE_URL or DATA_DIR is not valid: {file} cannot be made ({error.strerror})"
        ) from None


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
