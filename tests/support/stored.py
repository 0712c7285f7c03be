"""Reads of a cluster's SQLite file, without the product's code."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from tests.support.waiting import HANGS_AFTER

Row = tuple[Any, ...]
T = TypeVar("T")


def rows(database: Path, query: str, *values: object) -> list[Row]:
    """The rows a query finds; none before the database is made."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        named = values[0] if values and isinstance(values[0], dict) else values
        return connection.execute(query, named).fetchall()


def messages(database: Path, room: str) -> list[Row]:
    """(seq, sender, content) of a named room's messages, by seq."""
    query = (
        "SELECT seq, sender, content FROM events WHERE kind = 'message' AND "
        "room_id = (SELECT id FROM rooms WHERE name = ?) ORDER BY seq"
    )
    return rows(database, query, room)


async def eventually(
    read: Callable[[], T], is_so: Callable[[T], bool], within: float = HANGS_AFTER
) -> T:
    """Read again and again until a condition is true.

    Raises:
        AssertionError: it was not in time; the text ends with what was read last.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        found = await asyncio.to_thread(read)
        if is_so(found):
            return found
        if loop.time() > end:
            raise AssertionError(f"not so within {within} s: {str(found)[:500]}")
        await asyncio.sleep(0.05)
