"""A SQLite database for a test, read without the product's code."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class Database:
    """The file that persisters write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        """The database's DATABASE_URL."""
        return f"sqlite+aiosqlite:///{self.path}"

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query; none before the tables are made."""
        return await asyncio.to_thread(self.now, query, *values)

    async def value(self, query: str, *values: object) -> Any:  # noqa: ANN401 - any column
        """The first column of the first row; None where there is none."""
        found = await self.rows(query, *values)
        return found[0][0] if found else None

    async def run(self, statement: str, *values: object) -> None:
        """Run a statement that changes the database without the product."""
        await asyncio.to_thread(self._run, statement, values)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the write lock: commits of others wait, then fail; reading goes on."""
        connection = await asyncio.to_thread(self._lock)
        try:
            yield
        finally:
            await asyncio.to_thread(connection.close)

    def _lock(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def now(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """As `rows`, without a thread."""
        if not self.path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection:
            try:
                return list(connection.execute(query, values))
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.execute(statement, values)
            connection.commit()
