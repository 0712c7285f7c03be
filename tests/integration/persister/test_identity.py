"""Copies of a database: noticed, refused while the original is in use, and given a name."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.api.assembly import find_data
from persister.commands.identity import change_identity
from shared.broker.partitions.keyspace import Keyspace
from shared.config import ConfigError, Settings, load
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.storage import Database


def copy_of(stage: Stage, folder: Path, name: str = "copy.db") -> Database:
    """A copy of the stage's database, as a backup makes it."""
    copy = Database(folder / name)
    with (
        closing(sqlite3.connect(stage.database.path)) as source,
        closing(sqlite3.connect(copy.path)) as target,
    ):
        source.backup(target)
    return copy


def env_of(stage: Stage, database: Database) -> dict[str, str]:
    """The settings of a process that works with this database, under whatever name it has."""
    return {**stage.env, "DATABASE_URL": database.url, "NAMESPACE": ""}


async def command(stage: Stage, database: Database, action: str, **env: str) -> None:
    """What one of the two commands does, without the start of a process."""
    await change_identity(load(Settings, {**env_of(stage, database), **env}), action)


async def refusal(stage: Stage, database: Database, module: str = "persister") -> str:
    """What a process says that refuses to work with this database."""
    if module == "gateway":  # without its start
        with pytest.raises(ConfigError) as refused:
            await find_data(load(Settings, env_of(stage, database)))
        return str(refused.value)
    code, _, said = await run(module, env=env_of(stage, database))
    assert (code, said.count("Traceback")) == (2, 0), said
    return said.splitlines()[-1]


@asynccontextmanager
async def working(stage: Stage, database: Database) -> AsyncIterator[None]:
    """A persister that works with this database, in this process."""
    async with stage.storing(DATABASE_URL=database.url, NAMESPACE=""):
        yield


@pytest.mark.parametrize("module", ["persister", "gateway"])
async def test_a_copy_is_refused(stage: Stage, tmp_path: Path, module: str) -> None:
    """A process on a copy does not start, and says which two commands say whose data it is."""
    async with stage.storing():
        copy = copy_of(stage, tmp_path)
        said = await refusal(stage, copy, module)
    assert "is a copy" in said
    assert "`python -m persister adopt` to go on with it" in said
    assert "`python -m persister new-identity` to make it an installation of its own" in said


async def test_adopted_it_waits_until_the_other_is_not_in_use(stage: Stage, tmp_path: Path) -> None:
    """A copy that was adopted is refused while a persister works with the other database."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await stage.all_stored(room, 1)
        copy = copy_of(stage, tmp_path)
        await command(stage, copy, "adopt")
        assert "a running persister stores the installation" in await refusal(stage, copy)
    async with working(stage, copy):
        # It has the place now: the other one is refused, also as a gateway's.
        for module in ("persister", "gateway"):
            assert "in another database" in await refusal(stage, stage.database, module)


async def test_the_original_can_be_adopted_back(stage: Stage, tmp_path: Path) -> None:
    """A database that lost its place takes it again when it is adopted."""
    async with stage.storing():
        copy = copy_of(stage, tmp_path)
    await command(stage, copy, "adopt")
    async with working(stage, copy):
        pass
    for _ in range(2):  # as often as the copy was, and once more
        await command(stage, stage.database, "adopt")
    async with working(stage, stage.database):
        pass


async def test_with_an_identity_of_its_own(stage: Stage, tmp_path: Path) -> None:
    """A copy with a new identity lives beside the original, with all the rows and other keys."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await stage.all_stored(room, 1)
        copy = copy_of(stage, tmp_path)
        await command(stage, copy, "new-identity", NAMESPACE="staging")
        async with Process("persister", env_of(stage, copy)) as persister:
            await persister.receive("opened in a new epoch")
            await stage.send(room, "m2")
            await stage.all_stored(room, 2)
        assert await copy.value("SELECT count(*) FROM events") == 1
    keys = Keyspace("staging", stage.partitions)
    assert await stage.server.admin.exists(*(part.record for part in keys.partitions)) == 2


async def test_a_made_name_is_another_each_time(stage: Stage, tmp_path: Path) -> None:
    """A new identity without a NAMESPACE gets a name that nothing else has."""
    async with stage.storing():
        copies = [copy_of(stage, tmp_path, f"{n}.db") for n in range(3)]
    for copy in copies:
        await command(stage, copy, "new-identity")
    query = "SELECT value FROM meta WHERE key = 'namespace'"
    assert len({await copy.value(query) for copy in copies} | {"stage"}) == 4


async def test_the_same_database_elsewhere_is_the_same(stage: Stage, tmp_path: Path) -> None:
    """A database file that was moved within its file system is still the one it was."""
    async with stage.storing():
        pass
    moved = Database(tmp_path / "moved.db")
    stage.database.path.rename(moved.path)
    async with working(stage, moved):
        pass


@pytest.mark.parametrize("module", ["persister", "gateway"])
async def test_another_namespace_than_the_data_has(stage: Stage, module: str) -> None:
    """A NAMESPACE that is not the data's is refused by gateways and persisters."""
    async with stage.storing():
        pass
    code, _, said = await run(module, env={**stage.env, "NAMESPACE": "other"})
    assert code == 2
    assert "NAMESPACE=other is not valid: this database belongs to the installation stage" in said


async def test_what_an_operator_types(stage: Stage, tmp_path: Path) -> None:
    """Both commands say in a sentence what the database is from then on, or that it is none."""
    async with stage.storing():
        copy = copy_of(stage, tmp_path)
    for action in ("adopt", "new-identity"):
        code, said, _ = await run("persister", action, env=env_of(stage, copy))
        name = await copy.value("SELECT value FROM meta WHERE key = 'namespace'")
        sentence = f"this database now belongs to the installation {name}"
        assert (code, said.strip()) == (0, sentence)
    empty = Database(tmp_path / "empty.db")
    code, _, said = await run("persister", "adopt", env=env_of(stage, empty))
    assert (code, said.count("Traceback")) == (2, 0)
    assert "holds no installation" in said
