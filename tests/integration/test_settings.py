"""Processes that are started with a setting they cannot run with."""

import asyncio

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
        ("REDIS_URL", "redis://:canary/more@127.0.0.1"),
        ("DATABASE_URL", "postgresql+asyncpg://ann:canary@127.0.0.1:port/parley"),
        ("DATABASE_URL", "sqlite://ann:canary@/parley.db?password=canary"),
    ],
)
async def test_a_password_in_a_broken_url(stage: Stage, name: str, value: str) -> None:
    """The password of a URL that cannot be used is not shown."""
    for sentence in await refusals({**stage.env, name: value}):
        assert name in sentence
        assert "canary" not in sentence


async def test_database_without_an_async_driver(stage: Stage) -> None:
    """A database URL without an async driver is refused like any broken setting."""
    env = {**stage.env, "PORT": str(free_port()), "DATABASE_URL": "sqlite:///parley.db"}
    for sentence in await refusals(env):
        assert "DATABASE_URL" in sentence


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
