"""The schema: every way to it ends the same, and no data is lost on the way."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config import ConfigError
from shared.model.formats import LEGACY
from shared.storage import migrate as storage
from shared.storage.engine import open_engine
from shared.storage.installation import read_installation
from shared.storage.migrate import MIGRATIONS, migrate
from shared.storage.names import NameReader
from shared.storage.pages import PageReader
from shared.storage.reader import Reader
from shared.storage.tables import SCHEMA, metadata

OLD_ROWS = (
    "INSERT INTO meta VALUES ('partitions', '2')",
    "INSERT INTO partitions VALUES (0, 3, 3000005, 'old'), (1, 2, 7, 'old')",
    "INSERT INTO rooms VALUES (1024, 'r:größe', 'room', 'größe', 'hash', 'ann', 1000, 1, 1)",
    "INSERT INTO events VALUES (2048, 1024, 1, 0, 'message', 'ann', NULL, 'm1', 1, 1001, 1)",
    "INSERT INTO events VALUES (3072, 1024, 2, 1, 'clear', 'ann', NULL, NULL, 0, 1002, 1)",
    "INSERT INTO events VALUES (4096, 1024, 3, 2, 'message', 'bob', 'hé', 'm2', 0, 1003, 1)",
    "INSERT INTO events VALUES (5120, 1024, 4, 3, 'void', NULL, NULL, NULL, 1, 1004, 1)",
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An empty database."""
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/parley.db", writes=True)
    yield made
    await made.dispose()


async def run(engine: AsyncEngine, *statements: str) -> list[tuple[Any, ...]]:
    async with engine.begin() as connection:
        for statement in statements:
            result = await connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


async def to_revision(engine: AsyncEngine, revision: str, *, down: bool = False) -> None:
    def go(connection: Connection) -> None:
        config = Config()
        folder = Path(storage.__file__).parent / "migrations"
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)

    async with engine.begin() as connection:
        await connection.run_sync(go)


async def differences(engine: AsyncEngine) -> list[Any]:
    """What a database and the tables of the code say differently."""

    def compare(connection: Connection) -> list[Any]:
        options = {"compare_type": True}
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )

    async with engine.begin() as connection:
        return await connection.run_sync(compare)


async def test_head_is_what_the_tables_say(engine: AsyncEngine) -> None:
    """A database that was migrated from nothing has exactly the tables of the code."""
    await migrate(engine, partitions=2)
    assert await differences(engine) == []


async def test_from_the_first_schema(engine: AsyncEngine) -> None:
    """A database of the first release is brought to this one with all its data."""
    await to_revision(engine, "0001")
    await run(engine, *OLD_ROWS)
    await migrate(engine, partitions=2)
    assert await differences(engine) == []
    assert await run(engine, "SELECT * FROM partitions ORDER BY number") == [
        (0, 3, 3000005, "old", LEGACY),
        (1, 2, 7, "old", LEGACY),
    ]
    reader = Reader(engine)
    found = await reader.room("r:größe")
    assert found is not None
    assert (found.room.id, found.room.head, found.room.floor) == (1024, 4, 1)
    assert (found.room.users, found.active_at) == ((), 1004)
    page = await PageReader(reader).read(1024, 0, 100, 100, 100, newest=True)
    assert [(m.seq, m.sender, m.content, m.deleted, m.seen_at) for m in page.items] == [
        (4, "", "", True, None),
        (3, "bob", "hé", False, None),
    ]
    assert await run(engine, "SELECT count(*) FROM rooms WHERE deleted") == [(0,)]


async def test_names_are_filled_in(engine: AsyncEngine) -> None:
    """Rooms get the forms of their names, and users of everything that was stored are known."""
    await to_revision(engine, "0004")
    rooms = "id, key, kind, name, password_hash, creator, created_at, floor, epoch, deleted"
    rooms += ", user1, user2"
    await run(
        engine,
        f"INSERT INTO rooms ({rooms}) VALUES"  # noqa: S608 - names of ours
        " (1, 'r:Größe', 'room', 'Größe', '', 'Ann', 50, 0, 1, 0, NULL, NULL),"
        " (2, 'd:3:bob:cleo', 'direct', '', '', 'bob', 60, 0, 1, 0, 'bob', 'cleo')",
        "INSERT INTO events (id, room_id, seq, prev, kind, sender, deleted, created_at, epoch)"
        " VALUES (3, 1, 1, 0, 'message', 'danㅤ', 0, 40, 1),"
        " (4, 1, 2, 1, 'message', 'bob', 0, 70, 1), (5, 1, 3, 2, 'void', NULL, 1, 70, 1)",
        "INSERT INTO cursors (room_id, \"user\", seq, at) VALUES (1, 'ANN', 2, 30)",
    )
    await migrate(engine, partitions=2)
    assert await run(engine, "SELECT id, name_form FROM rooms ORDER BY id") == [
        (1, "größe"),
        (2, ""),
    ]
    assert await run(engine, "SELECT name, form, since FROM users ORDER BY name") == [
        ("ANN", "ann", 30),
        ("Ann", "ann", 50),
        ("bob", "bob", 60),
        ("cleo", "cleo", 60),
        ("danㅤ", "danㅤ", 40),
    ]
    names = NameReader(Reader(engine))
    assert await names.users(["ann"]) == {"ann": ["ANN", "Ann"]}
    assert await names.has_user("Ann")
    assert not await names.has_user("ann")
    assert await names.rooms(["größe"], []) == [("r:Größe", "Größe")]


async def test_names_are_read_before_the_migration(engine: AsyncEngine) -> None:
    """A gateway that runs before a persister has migrated finds rooms, and lists them."""
    await to_revision(engine, "0004")
    rooms = "id, key, kind, name, password_hash, creator, created_at, floor, epoch, deleted"
    await run(
        engine,
        f"INSERT INTO rooms ({rooms}) VALUES"  # noqa: S608 - names of ours
        " (1, 'r:Lobby', 'room', 'Lobby', '', 'Ann', 50, 0, 1, 0)",
    )
    names = NameReader(Reader(engine))
    assert await names.rooms(["lobby"], ["r:lobby", "r:Lobby"]) == [("r:Lobby", "Lobby")]
    assert [room.name for room in await names.rooms_after("", 10)] == ["Lobby"]
    assert await names.rooms(["lobby"], []) == [("r:Lobby", "Lobby")]
    assert await names.users(["ann"]) is None
    await migrate(engine, partitions=2)
    assert await names.rooms(["lobby"], []) == [("r:Lobby", "Lobby")]


async def test_there_and_back(engine: AsyncEngine) -> None:
    """A migration that is undone leaves the schema and the data as they were."""
    await to_revision(engine, "0001")
    await run(engine, *OLD_ROWS)
    schema = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    before = await run(engine, schema)
    rows = [await run(engine, f"SELECT * FROM {table}") for table in ("rooms", "events")]  # noqa: S608 - names of ours
    await to_revision(engine, "head")
    await to_revision(engine, "0001", down=True)
    assert [name for name, _ in await run(engine, schema)] == [name for name, _ in before]
    assert [await run(engine, f"SELECT * FROM {table}") for table in ("rooms", "events")] == rows  # noqa: S608
    await migrate(engine, partitions=2)
    assert await differences(engine) == []


async def test_migrating_twice_changes_nothing(engine: AsyncEngine) -> None:
    """A database that is up to date stays as it is, with its partitions and their positions."""
    await migrate(engine, partitions=2)
    await run(engine, "UPDATE partitions SET epoch = 5, position = 9 WHERE number = 1")
    await migrate(engine, partitions=2)
    assert await run(engine, "SELECT number, epoch, position FROM partitions") == [
        (0, 0, 0),
        (1, 5, 9),
    ]


async def test_other_partitions(engine: AsyncEngine) -> None:
    """Data that was made with another number of partitions is refused."""
    await migrate(engine, partitions=2)
    with pytest.raises(ConfigError, match="PARTITIONS=3 is not valid"):
        await migrate(engine, partitions=3)


EXPAND = """
import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"


def upgrade() -> None:
    op.add_column("rooms", sa.Column("topic", sa.String))
"""
CONTRACT = """
from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"
needs_schema = {before}


def upgrade() -> None:
    op.drop_column("rooms", "topic")
"""


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later build: one more that adds, then one that takes away."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    for number, made_up in ((SCHEMA + 1, EXPAND), (SCHEMA + 2, CONTRACT)):
        file = folder / "versions" / f"v{number:04}_made_up.py"
        file.write_text(made_up.format(number=number, before=number - 1))
    return folder


async def columns(engine: AsyncEngine) -> set[str]:
    """The columns of the table of rooms."""
    return {str(name) for _, name, *_ in await run(engine, "PRAGMA table_info(rooms)")}


def test_the_schema_of_this_build() -> None:
    """The schema that a build says it knows is that of its last migration."""
    numbers = [int(file.name[1:5]) for file in (MIGRATIONS / "versions").glob("v*.py")]
    assert max(numbers) == SCHEMA


async def test_what_a_later_build_added_disturbs_nobody(engine: AsyncEngine, later: Path) -> None:
    """A build works on with a database to which a later one added something, and starts on it."""
    await migrate(engine, partitions=2)
    await migrate(engine, min_known_schema=SCHEMA, migrations=later)
    assert "topic" in await columns(engine)
    before = await run(engine, "SELECT version_num FROM alembic_version")
    assert (await migrate(engine)).partitions == 2
    assert await run(engine, "SELECT version_num FROM alembic_version") == before
    assert await read_installation(engine) is not None


@pytest.mark.parametrize("min_known_schema", [None, SCHEMA])
async def test_nothing_is_taken_away_from_who_needs_it(
    engine: AsyncEngine, later: Path, min_known_schema: int | None
) -> None:
    """A later build takes nothing away while a process lives that needs it, or may."""
    await migrate(engine, partitions=2)
    for _ in range(2):
        await migrate(engine, min_known_schema=min_known_schema, migrations=later)
        assert "topic" in await columns(engine)


async def test_taken_away_once_nobody_needs_it(engine: AsyncEngine, later: Path) -> None:
    """Once all know the schema without it, it goes; a build that needs it is refused then."""
    await migrate(engine, partitions=2)
    await migrate(engine, min_known_schema=SCHEMA, migrations=later)
    await migrate(engine, min_known_schema=SCHEMA + 1, migrations=later)
    assert "topic" not in await columns(engine)
    for start in (migrate, read_installation):
        with pytest.raises(ConfigError, match=f"knows schema {SCHEMA + 1}, and this one knows"):
            await start(engine)
    assert (await migrate(engine, migrations=later)).partitions == 2


async def test_new_data_has_the_latest_schema(engine: AsyncEngine, later: Path) -> None:
    """A database that is made anew gets everything at once: nobody can need what never was."""
    await migrate(engine, partitions=2, migrations=later)
    found = await run(engine, "SELECT version_num FROM alembic_version")
    assert found == [(f"{SCHEMA + 2:04}",)]


async def test_new_data_has_eight_partitions_and_a_name(engine: AsyncEngine) -> None:
    """New data has 8 partitions and a name of its own, and keeps both, whatever is asked later."""
    made = await migrate(engine)
    assert made.partitions == 8
    assert len(made.namespace) == 8
    assert await migrate(engine) == made
    assert await migrate(engine, partitions=8, namespace=made.namespace) == made


async def test_data_of_before_keeps_its_partitions(engine: AsyncEngine) -> None:
    """Data that was made with another number of partitions keeps it, and gets a name."""
    await to_revision(engine, "0001")
    await run(engine, *OLD_ROWS)
    found = await migrate(engine)
    assert found.partitions == 2
    assert found.namespace
