"""The address of the database, as people write it and as SQLAlchemy takes it."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.config import ConfigError
from shared.config.urls import check_password, scheme_of

SQLITE: Final = "sqlite+aiosqlite"
POSTGRESQL: Final = "postgresql+asyncpg"

_DRIVERS: Final = {
    "sqlite": SQLITE,
    SQLITE: SQLITE,
    # Some hosting providers, and libraries of other languages, write it so.
    "postgres": POSTGRESQL,
    "postgresql": POSTGRESQL,
    POSTGRESQL: POSTGRESQL,
    "postgresql+psycopg": "postgresql+psycopg",
}
"""Schemes that DATABASE_URL may begin with, and what SQLAlchemy calls them."""


def database_url(given: str | Path) -> URL:
    """Read the address of the database.

    Args:
        given: a DATABASE_URL, or the path of an SQLite file.

    Raises:
        ConfigError: it cannot be used, or its driver is not installed.
    """
    if isinstance(given, Path):
        return URL.create(SQLITE, database=str(given))
    scheme = scheme_of(given)
    if scheme not in _DRIVERS:
        taken = "sqlite:// or postgresql:// (postgres:// is the same)"
        if scheme.partition("+")[0] in _DRIVERS:
            taken = f"{scheme.partition('+')[0]}:// without {scheme.partition('+')[2]}"
        raise ConfigError(f"DATABASE_URL is not valid: it must begin with {taken}")
    drivername = _DRIVERS[scheme]
    if drivername != SQLITE:
        check_password("DATABASE_URL", given)
    try:
        url = make_url(f"{drivername}://{given.partition('://')[2]}")
    except (ArgumentError, ValueError):  # their texts may quote a password
        raise ConfigError(
            "DATABASE_URL is not valid: it must be like sqlite:////srv/parley.db or"
            " postgresql://user:password@host:5432/database"
        ) from None
    _check_driver(url.get_driver_name())
    return _sqlite(url, given) if drivername == SQLITE else _postgresql(url)


def from_any_folder(given: str) -> str:
    """A DATABASE_URL that means the same for a process that runs in another folder.

    Raises:
        ConfigError: it cannot be used.
    """
    url = database_url(given)
    return url.render_as_string() if url.drivername == SQLITE else given


def _check_driver(driver: str) -> None:
    try:
        import_module(driver)
    except ImportError:
        raise ConfigError(
            f"DATABASE_URL needs the package {driver}, which is not installed: run"
            f" `{sys.executable} -m pip install {driver}`"
        ) from None


def _sqlite(url: URL, given: str) -> URL:
    if url.host or url.username:
        raise ConfigError(
            "DATABASE_URL is not valid: sqlite:// is followed by a path, with three slashes for a"
            " relative one and four for one from the root"
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError(
            "DATABASE_URL is not valid: sqlite:// needs the path of a file, which all processes of"
            " the installation use"
        )
    if "?" in given and not url.query:
        raise ConfigError(
            "DATABASE_URL is not valid: a raw ? ends its path there; percent-encode it, as %3F"
        )
    # Processes that run in other folders have to find the same file.
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def _postgresql(url: URL) -> URL:
    """Pass on what libpq calls `sslmode`, in the word of the driver."""
    if url.drivername != POSTGRESQL or "sslmode" not in url.query:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict(
        {"ssl": str(url.query["sslmode"])}
    )
