"""The identity of a database: something that a copy of it does not have.

A copy (staging restored from production, a backup put back) has the same rows, with the name of the
installation among them. So a database is identified by its place: PostgreSQL by the server's system
identifier and the database's oid, SQLite by the file's inode and file system. Without that, two
installations would share keys in the broker after such a copy, and store each other's messages.
"""

import os

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine


async def identify(engine: AsyncEngine) -> str:
    """Read the name of an engine's database, which must exist.

    Raises:
        DBAPIError, OSError: the database cannot be reached.
    """
    if engine.dialect.name == "postgresql":
        return await _postgresql(engine)
    file = engine.url.database
    if not file or file == ":memory:":
        return "memory"
    found, system = os.stat(file), os.statvfs(file)  # noqa: PTH116 - beside statvfs
    return f"file-{found.st_ino}@{system.f_fsid:x}"


async def _postgresql(engine: AsyncEngine) -> str:
    oid = "SELECT oid FROM pg_database WHERE datname = current_database()"
    async with engine.connect() as connection:
        database = (await connection.execute(text(oid))).scalar_one()
    try:
        async with engine.connect() as connection:
            query = text("SELECT system_identifier FROM pg_control_system()")
            server = (await connection.execute(query)).scalar_one()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        server = "unknown"  # some hosting providers do not allow this function
    return f"postgresql-{server}-{database}"
