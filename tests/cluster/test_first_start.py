"""A cluster on a Redis of the operator's own: at its first start, and at later ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.postgresql import refusing
from tests.support.valkey import Valkey

PASSWORD = "canary"


@pytest.fixture
async def server() -> AsyncIterator[Valkey]:
    """A server outside of the cluster, which a test may kill."""
    async with Valkey() as running:
        yield running


async def refusal(data_dir: Path, **env: str) -> str:
    """The one sentence of a cluster that starts nothing and ends with exit code 2."""
    cluster = Cluster(data_dir=data_dir, env={"PYTHONPATH": "", **env})
    await cluster.start()
    assert await cluster.wait_ended() == 2
    assert cluster.stdout == []
    assert not [line for line in cluster.lines if " started " in line]
    assert PASSWORD not in "\n".join(cluster.lines)
    sentences = [line for line in cluster.lines if not line.startswith("cluster ")]
    assert len(sentences) == 1, cluster.lines
    return sentences[0]


async def test_a_server_that_refuses(server: Valkey, tmp_path: Path) -> None:
    """What no waiting changes ends the first start with one sentence, before anything runs."""
    where = f"127.0.0.1:{server.port}"
    for url in (f"redis://:{PASSWORD}@{where}/0", f"redis://{where}/99"):
        sentence = await refusal(tmp_path, REDIS_URL=url)
        assert sentence.startswith(f"REDIS_URL: {where} has no ")
    async with refusing("28P01", "password authentication failed") as port:
        url = f"postgres://ann:{PASSWORD}@127.0.0.1:{port}/parley"
        sentence = await refusal(tmp_path, DATABASE_URL=url)
    assert sentence.startswith(f"DATABASE_URL: 127.0.0.1:{port} refuses the user name or the ")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("REDIS_URL", "redis://127.0.0.1:{port}/0"),
        ("REDIS_URL", "redis://no-host.invalid:{port}/0"),
        ("DATABASE_URL", "postgres://ann:canary@127.0.0.1:{port}/parley"),
    ],
)
async def test_a_server_that_is_away(tmp_path: Path, name: str, url: str) -> None:
    """A server that does not come up within START_SECONDS ends the first start in the same way."""
    given = {name: url.format(port=free_port())}
    for _ in range(2):  # after a failed start, the next one is the first again
        sentence = await refusal(tmp_path, START_SECONDS="1", **given)
        assert sentence.startswith(f"{name}: ")
        assert sentence.endswith(", for 1 s")


async def test_a_later_start(server: Valkey, tmp_path: Path) -> None:
    """A cluster that was ready once waits for a server that is away, says so, and answers 503."""
    env = {"REDIS_URL": server.url, "START_SECONDS": "1", "LOAD_BALANCER": "haproxy"}
    async with Cluster(data_dir=tmp_path, env=env):
        pass
    await server.kill()
    cluster = Cluster(data_dir=tmp_path, env=env)
    await cluster.start()
    await cluster.wait_line(rf"persister-1 \| .* 127.0.0.1:{server.port} cannot be reached")
    await cluster.wait_line(r"still waiting for gateway-1 \(.*\), gateway-2 \(.*\)")
    await cluster.wait_line("haproxy started")
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as client:
        assert (await client.get(f"{cluster.url}/health/ready")).status_code == 503
    assert cluster.stdout == []
    assert not (tmp_path / "run" / "redis.pid").exists()
    await server.start()
    await cluster.wait_ready()
    said = [line for line in cluster.lines if "cannot be reached" in line]
    assert len(said) <= 2, said  # at once, and every 10 s
    assert await cluster.stop() == 0


async def test_a_later_start_with_another_password(server: Valkey, tmp_path: Path) -> None:
    """A password that the server refuses ends a later start, too."""
    async with Cluster(gateways=1, data_dir=tmp_path, env={"REDIS_URL": server.url}):
        pass
    url = server.url.replace("redis://", f"redis://:{PASSWORD}@")
    assert "has no password" in await refusal(tmp_path, REDIS_URL=url)


async def test_a_wait_that_is_ended(tmp_path: Path) -> None:
    """A cluster that waits for a server can be ended."""
    cluster = Cluster(data_dir=tmp_path, env={"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"})
    await cluster.start()
    await cluster.wait_line("trying again")
    assert await cluster.stop() == 0
    assert not list((tmp_path / "run").glob("*.pid"))
