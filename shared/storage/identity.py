"""Which database this is, by something that a copy of it does not have.

A copy (staging restored from production, a backup put back) holds the same rows, the name of the
installation among them. So the database says by where it is which one it is: PostgreSQL by the
server's system identifier and the database's oid, SQLite by the file's number and file system.
"""

import os

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine


async def identify(engine: AsyncEngine) -> str:
    """The name of the database that an engine leads to; it must be there.

    Raises:
        DBAPIError, OSError: it is away.
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
        server = "unknown"  # some providers keep this function to themselves
    return f"postgresql-{server}-{database}"
