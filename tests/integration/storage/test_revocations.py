"""Revocations in SQL, as commands write them and gateways read them."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.access.revocations import Revocations
from gateway.access.tokens import Bearer
from shared.config import ConfigError
from shared.model.revocations import Revocation
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from shared.storage.reader import Reader
from shared.storage.revocations import (
    KEPT_SECONDS,
    RevocationReader,
    change_revocation,
    list_revocations,
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database of this build."""
    made = open_engine(tmp_path / "parley.db", writes=True)
    await migrate(made)
    yield made
    await made.dispose()


def token(name: str, until: float | None = None) -> Revocation:
    """A revoked token."""
    over = None if until is None else int(until * 1000)
    return Revocation("token", name, 0, int(time.time() * 1000), until=over)


async def write(engine: AsyncEngine, *made: Revocation) -> None:
    """Write revocations, whatever there was before."""
    for each in made:
        await change_revocation(engine, each.kind, each.subject, partial(_instead, each))


def _instead(made: Revocation, _present: Revocation | None) -> Revocation:
    return made


async def test_numbers_grow_with_each_change(engine: AsyncEngine) -> None:
    """A change of a revocation takes its place under the next number, and is read again."""
    reader = RevocationReader(Reader(engine))
    await write(engine, token("a"), token("b"))
    first = await reader.from_number(0)
    assert [(each.subject, each.number) for each in first] == [("a", 1), ("b", 2)]
    await write(engine, replace(first[0], until=2**50))
    later = await reader.from_number(3)
    assert [(each.subject, each.number, each.until) for each in later] == [("a", 3, 2**50)]
    assert [each.subject for each in await list_revocations(engine)] == ["b", "a"]


async def test_writers_at_once(engine: AsyncEngine) -> None:
    """Commands that run at the same time give each revocation a number of its own."""
    await asyncio.gather(*(write(engine, token(str(n))) for n in range(20)))
    assert [each.number for each in await list_revocations(engine)] == list(range(1, 21))


async def test_changes_at_once(engine: AsyncEngine) -> None:
    """Each of the changes of a revocation that are made at the same time begins with the last."""
    made = replace(token("a"), before=0)

    def later(present: Revocation | None) -> Revocation:
        return replace(made, before=present.before + 1 if present else 1)

    await asyncio.gather(*(change_revocation(engine, "token", "a", later) for _ in range(20)))
    assert [each.before for each in await list_revocations(engine)] == [20]


async def test_what_is_over_is_deleted(engine: AsyncEngine) -> None:
    """A revocation that was over for long is deleted by the next one, and the newest never is."""
    long_ago = time.time() - KEPT_SECONDS - 1
    await write(engine, token("over", long_ago), token("just over", time.time()))
    await write(engine, token("newest", long_ago))
    assert [each.subject for each in await list_revocations(engine)] == ["just over", "newest"]


async def test_a_database_of_an_older_build(tmp_path: Path) -> None:
    """Without its table, gateways know no revocation, and commands say what to do."""
    old = open_engine(tmp_path / "old.db", writes=True)
    async with old.begin() as connection:
        await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        await connection.execute(text("INSERT INTO alembic_version VALUES ('0006')"))
    assert await RevocationReader(Reader(old)).from_number(0) == []
    for command in (list_revocations(old), write(old, token("a"))):
        with pytest.raises(ConfigError, match="no table of revocations yet: start a persister"):
            await command
    await old.dispose()


def test_what_is_known_is_forgotten_when_it_is_over() -> None:
    """A gateway drops a revocation when its time is over, and refuses the token until then."""
    known, bearer = Revocations(), Bearer("ann", 2**40, "a")
    soon = time.time() + 0.05
    assert known.learn([token("a", soon)])
    assert known.revokes(bearer)
    while time.time() < soon:
        pass
    known.forget_ended()
    assert not known.revokes(bearer)
