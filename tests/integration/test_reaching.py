"""Gateways and persisters that are started before, or without, the servers that they need."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from redis.asyncio import Redis

from tests.support.certificates import Certificates
from tests.support.ports import free_port
from tests.support.postgresql import refusing
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.valkey import Valkey

PASSWORD = "canary"
WITH_DRIVERS = {"PYTHONPATH": ""}
"""Lets a process find the packages that only tests install, such as the driver of PostgreSQL."""


@pytest.fixture(scope="module")
async def locked() -> AsyncIterator[Valkey]:
    """A server with a password and four databases."""
    server = Valkey()
    server.admin = Redis(port=server.port, password=PASSWORD)
    async with server.started_with("--requirepass", PASSWORD, "--databases", "4"):
        yield server


@asynccontextmanager
async def speaking(answer: bytes) -> AsyncIterator[int]:
    """Run a server that answers everything with the same bytes; yield its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000) and answer:
            writer.write(answer)
        await reader.read()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield port


async def refusals(env: dict[str, str]) -> list[str]:
    """The last lines of a persister and of a gateway that end with exit code 2."""

    async def refusal(module: str) -> str:
        code, out, err = await run(module, env=env)
        assert (code, out) == (2, ""), err
        assert "Traceback" not in err
        assert PASSWORD not in err
        return err.splitlines()[-1]

    return await asyncio.gather(*map(refusal, ("persister", "gateway")))


def refused_at_once(said: list[str], *words: str) -> None:
    """Assert that both said so, and that neither waited."""
    for sentence in said:
        assert all(word in sentence for word in words), sentence
        assert not sentence.endswith(" s")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:{password}x@127.0.0.1:{port}/0", "refuses the user name or the password"),
        ("redis://ann:{password}@127.0.0.1:{port}/0", "refuses the user name or the password"),
        ("redis://127.0.0.1:{port}/0", "asks for a password, and the URL has none"),
        ("redis://:{password}@127.0.0.1:{port}/4", "has no database of this number"),
    ],
)
async def test_what_the_broker_refuses(stage: Stage, locked: Valkey, url: str, words: str) -> None:
    """A password or a database number that Redis does not take ends a process at once."""
    given = url.format(password=PASSWORD, port=locked.port)
    said = await refusals({**stage.env, "PORT": str(free_port()), "REDIS_URL": given})
    refused_at_once(said, f"REDIS_URL: 127.0.0.1:{locked.port} ", words)


async def test_a_password_that_the_broker_does_not_have(stage: Stage) -> None:
    """A password for a Redis without one ends a process at once."""
    url = f"redis://:{PASSWORD}@127.0.0.1:{stage.server.port}/0"
    refused_at_once(await refusals({**stage.env, "REDIS_URL": url}), "REDIS_URL", "has no password")


async def test_what_is_no_broker(stage: Stage) -> None:
    """A server of another kind is no Redis that is about to come up."""
    async with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        env = {**stage.env, "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        refused_at_once(await refusals(env), f"REDIS_URL: what answers at 127.0.0.1:{port} is no")


async def test_tls_that_the_broker_does_not_speak(stage: Stage) -> None:
    """TLS to a Redis without it, and the other way round, ends a process after START_SECONDS."""
    certificates = Certificates(Path(stage.database.path).parent)
    async with certificates.in_front_of(stage.server.port) as port:
        for url, words in (
            (f"rediss://127.0.0.1:{stage.server.port}/0", "does not answer; does it speak TLS?"),
            (f"redis://127.0.0.1:{port}/0", "does it want TLS, rediss://?"),
        ):
            for sentence in await refusals({**stage.env, "START_SECONDS": "1", "REDIS_URL": url}):
                assert words in sentence
                assert sentence.endswith(", for 1 s")
        env = {**stage.env, "REDIS_URL": f"rediss://127.0.0.1:{port}/0"}
        refused_at_once(await refusals(env), "REDIS_URL: the certificate of ", "is not trusted")


@pytest.mark.parametrize(
    ("name", "url", "words"),
    [
        ("REDIS_URL", "redis://127.0.0.1:{port}/0", "cannot be reached (Connection refused)"),
        ("REDIS_URL", "redis://no-host.invalid:{port}/0", "the host of no-host.invalid:"),
        ("REDIS_URL", "unix:///no/such/socket", "/no/such/socket cannot be reached (No such file"),
        ("DATABASE_URL", "postgres://ann:canary@127.0.0.1:{port}/x", "(Connection refused)"),
        ("DATABASE_URL", "postgres://ann:canary@no-host.invalid:{port}/x", "no-host.invalid:"),
    ],
)
async def test_a_server_that_is_away(stage: Stage, name: str, url: str, words: str) -> None:
    """A process waits START_SECONDS for a server, says so once, and ends with exit code 2."""
    env = {**stage.env, **WITH_DRIVERS, "START_SECONDS": "2", name: url.format(port=free_port())}
    env.pop("PARTITIONS")  # without it a gateway needs the database
    began = monotonic()
    for sentence in await refusals(env):
        assert sentence.startswith(f"{name}: ")
        assert words in sentence
        assert sentence.endswith(", for 2 s")
    assert monotonic() - began > 2


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("28P01", 'password authentication failed for user "ann"', "refuses the user name or the"),
        ("3D000", 'database "parley" does not exist', "has no database of this name"),
        ("28000", "no pg_hba.conf entry for host", "does not let this user in (no pg_hba"),
    ],
)
async def test_what_the_database_refuses(stage: Stage, code: str, message: str, words: str) -> None:
    """A password or a database that PostgreSQL does not know ends a process at once."""
    async with refusing(code, message) as port:
        url = f"postgres://ann:{PASSWORD}@127.0.0.1:{port}/parley"
        said = await refusals({**stage.env, **WITH_DRIVERS, "DATABASE_URL": url})
        refused_at_once(said, f"DATABASE_URL: 127.0.0.1:{port} ", words)
        said = await refusals(
            {**stage.env, **WITH_DRIVERS, "DATABASE_URL": f"{url}?sslmode=require"}
        )
        refused_at_once(said, f"DATABASE_URL: 127.0.0.1:{port} does not speak TLS")
        said = await refusals({**stage.env, **WITH_DRIVERS, "DATABASE_URL": f"{url}?no_option=1"})
        refused_at_once(said, "DATABASE_URL: ", "no_option")


async def test_a_database_that_starts(stage: Stage) -> None:
    """A PostgreSQL that is starting is waited for as one that is away."""
    async with refusing("57P03", "the database system is starting up") as port:
        url = f"postgres://ann:{PASSWORD}@127.0.0.1:{port}/parley"
        env = {**stage.env, **WITH_DRIVERS, "START_SECONDS": "1", "DATABASE_URL": url}
        env.pop("PARTITIONS")
        for sentence in await refusals(env):
            assert sentence.endswith("(the database system is starting up), for 1 s")


async def test_a_file_that_is_no_database(stage: Stage) -> None:
    """A file that SQLite did not write is named, and left as it is."""
    stage.database.path.write_text("sheep" * 1000)
    env = {**stage.env}
    env.pop("PARTITIONS")
    refused_at_once(await refusals(env), str(stage.database.path), "not a database")
    assert stage.database.path.read_text() == "sheep" * 1000


@pytest.mark.parametrize(
    ("module", "seconds", "works"),
    [
        ("persister", "60", "persister works"),
        ("persister", "0", "persister works"),
        ("gateway", "60", "gateway starts"),
    ],
)
async def test_a_server_that_comes_up(stage: Stage, module: str, seconds: str, works: str) -> None:
    """A process that was started before its Redis works as soon as that is there."""
    await stage.server.kill()
    env = {**stage.env, "PORT": str(free_port()), "START_SECONDS": seconds}
    async with Process(module, env) as process:
        await process.receive("cannot be reached (Connection refused); trying again")
        await stage.server.start()
        await process.receive(works)
        assert len([line for line in process.said if "trying again" in line]) == 1


async def test_a_wait_that_is_ended(stage: Stage) -> None:
    """A persister that waits for its Redis ends in order when it is told to."""
    async with Process("persister", {**stage.env, "REDIS_URL": "redis://127.0.0.1:1/0"}) as process:
        await process.receive("trying again")
        process.signal(signal.SIGTERM)
        assert await process.wait() == 0
