"""Processes that are started with a setting they cannot run with."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.process import Process, run
from tests.support.stage import Stage

BROKEN = {
    "PORT": "70000",
    "DATABASE_URL": "nonsense",
    "REDIS_URL": "localhost:6379",
}
"""One of those that are refused when they are read, and those that are when they are used."""


async def refusal(module: str, env: dict[str, str]) -> list[str]:
    """Run it to its end, which must be a refusal: the lines it said."""
    code, out, err = await run(module, env=env)
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err
    return err.splitlines()


async def refusals(env: dict[str, str]) -> list[str]:
    """As `refusal`, of a persister and a gateway: each says one sentence."""
    said = await asyncio.gather(*(refusal(module, env) for module in ("persister", "gateway")))
    assert [len(lines) for lines in said] == [1, 1]
    return [lines[0] for lines in said]


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_setting(stage: Stage, name: str) -> None:
    """A process with a broken setting ends with code 2 and one sentence that names it."""
    env = {**stage.env, "PORT": str(free_port()), name: BROKEN[name]}
    for sentence in await refusals(env):
        assert name in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://:canary@127.0.0.1:port/0"),
        ("REDIS_URL", "redis://:canary@127.0.0.1/canary"),
        ("REDIS_URL", "http://:canary@127.0.0.1"),
        ("REDIS_URL", "redis://:canary@127.0.0.1?no_option=canary"),
        ("DATABASE_URL", "sqlite://ann:canary@/parley.db?password=canary"),
        ("DATABASE_URL", "mysql://ann:canary@127.0.0.1/parley"),
    ],
)
async def test_a_password_in_a_broken_url(stage: Stage, name: str, value: str) -> None:
    """The password of a URL that cannot be used is not shown."""
    for sentence in await refusals({**stage.env, name: value}):
        assert name in sentence
        assert "canary" not in sentence


@pytest.mark.parametrize("url", ["redis://:{}@127.0.0.1:1/0", "postgres://ann:{}@127.0.0.1/parley"])
@pytest.mark.parametrize("raw", "@#/?[")
async def test_a_password_that_is_not_percent_encoded(stage: Stage, url: str, raw: str) -> None:
    """A character that would end the password too early is named, with what to write for it."""
    name = "REDIS_URL" if url.startswith("redis") else "DATABASE_URL"
    env = {**stage.env, name: url.format(f"can{raw}ary")}
    for sentence in await refusals(env):
        assert sentence.startswith(f"{name} has a raw {raw} in its user name or password")
        assert sentence.endswith(f"percent-encode it, as %{ord(raw):02X}")
        assert "can" not in sentence.replace("cannot", "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_a_driver_that_is_not_installed(stage: Stage, scheme: str) -> None:
    """Without the driver of a database, one sentence says what to install, and how."""
    env = {**stage.env, "DATABASE_URL": f"{scheme}://ann:canary@127.0.0.1/parley"}
    for sentence in await refusals(env):
        assert sentence.startswith("DATABASE_URL needs the package asyncpg")
        assert f"`{sys.executable} -m pip install asyncpg`" in sentence


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_a_database_of_ones_own_file(stage: Stage, tmp_path: Path, scheme: str) -> None:
    """An SQLite URL needs no driver in its scheme, and its path may be percent-encoded."""
    env = {"DATABASE_URL": f"{scheme}:///{tmp_path}/100%25%3F.db\r"}
    async with stage.running(**env):
        assert (tmp_path / "100%?.db").exists()


async def test_a_file_of_settings_from_windows(stage: Stage) -> None:
    """With a carriage return behind every value, a persister works as without."""
    async with stage.running(**{name: f"{value}\r" for name, value in stage.env.items()}):
        pass


async def test_a_key_from_windows(stage: Stage) -> None:
    """A carriage return behind a key is named, and the key is not shown."""
    env = {**stage.env, "AUTH_MODE": "jwt", "JWT_KEY": "canary" * 8 + "\r"}
    for sentence in await refusals(env):
        assert sentence == "JWT_KEY has a carriage return (U+000D) at its end: remove it"


async def test_database_where_nothing_can_be_made(stage: Stage) -> None:
    """A database file in a folder that cannot be made is refused like any broken setting."""
    env = {**stage.env, "DATABASE_URL": "sqlite+aiosqlite:////proc/nowhere/parley.db"}
    [sentence] = await refusal("persister", env)
    assert "DATABASE_URL" in sentence


async def test_other_partitions_in_the_database(stage: Stage) -> None:
    """A persister refuses data that was made with another PARTITIONS."""
    async with stage.storing():
        pass
    said = await refusal("persister", {**stage.env, "PARTITIONS": "4"})
    assert said[-1].startswith("PARTITIONS=4 is not valid: ")


async def test_gateway_with_other_partitions(stage: Stage) -> None:
    """A gateway with another PARTITIONS than the data's never becomes ready, and says why."""
    async with stage.storing():
        env = {**stage.env, "PARTITIONS": "4", "PORT": str(free_port())}
        async with Process("gateway", env) as gateway:
            await gateway.receive("PARTITIONS=4 is not valid")


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0 is open to other machines"),  # noqa: S104
        ({"AUTH_MODE": "jwt", "JWT_KEY": "secret"}, "JWT_KEY is too short"),
    ],
)
async def test_identity_that_cannot_be(stage: Stage, env: dict[str, str], sentence: str) -> None:
    """A gateway whose settings of identity do not go together says so, without any secret."""
    [said] = await refusal("gateway", {**stage.env, "PORT": str(free_port()), **env})
    assert said.startswith(sentence)
    assert "secret" not in said
