"""The commands of an operator, beside a cluster that runs and where none does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import connect
from tests.support.cluster import Cluster
from tests.support.process import run
from tests.support.valkey import Valkey


async def list_letters(data_dir: Path, **env: str) -> tuple[int, str, str]:
    """What `dead-letter list` says: exit code, standard output and standard error."""
    return await run("persister", "dead-letter", "list", env={"DATA_DIR": str(data_dir), **env})


async def set_aside(redis_url: str, namespace: str) -> None:
    """Set an entry aside that no build can read."""
    client = connect(redis_url)
    fields: dict[str, str | bytes] = {"why": "refused here", "r": "r:general", "e": b"sheep"}
    await client.xadd(Keyspace(namespace, 8)[0].dead, fields, "7-0")  # type: ignore[arg-type]
    await client.aclose()


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster on ports of its own, with a dead letter."""
    async with Cluster(gateways=1) as running:
        await set_aside(running.redis_url, running.namespace)
        yield running


@pytest.mark.parametrize("env", [{}, {"REDIS_URL": "", "DATABASE_URL": " "}])
async def test_a_cluster_on_its_own_redis(cluster: Cluster, env: dict[str, str]) -> None:
    """Given DATA_DIR alone, a command finds the Redis and the namespace of its cluster."""
    code, out, err = await list_letters(cluster.data_dir, **env)
    assert (code, err) == (0, "")
    letter, count = out.splitlines()
    assert letter == "0/7  r:general  unreadable, 5 bytes  refused here"
    assert count == "1 dead letter"


async def test_another_redis_is_asked_for(cluster: Cluster) -> None:
    """A REDIS_URL that is given is used, also beside a cluster with a Redis of its own."""
    async with Valkey() as other:
        code, out, _ = await list_letters(cluster.data_dir, REDIS_URL=other.url)
    assert (code, out) == (0, "0 dead letters\n")


async def test_no_cluster(tmp_path: Path) -> None:
    """Where no cluster runs, a command says so and makes nothing."""
    code, out, err = await list_letters(tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert err.startswith(f"no cluster runs in {tmp_path}/nowhere: start it, ")
    assert not (tmp_path / "nowhere").exists()
    async with Cluster(gateways=1, data_dir=tmp_path):
        assert (await list_letters(tmp_path))[:2] == (0, "0 dead letters\n")
    code, out, err = await list_letters(tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"no cluster runs in {tmp_path}: start it, ")


async def test_a_cluster_on_another_redis(tmp_path: Path) -> None:
    """Of a cluster on a Redis of the operator's own, a command asks for its REDIS_URL."""
    async with Valkey() as server:
        env = {"REDIS_URL": server.url}
        async with Cluster(gateways=1, data_dir=tmp_path, env=env) as running:
            await set_aside(server.url, running.namespace)
            code, out, err = await list_letters(tmp_path)
            assert (code, out) == (2, "")
            assert err == (
                f"the cluster in {tmp_path} uses a Redis of yours: set REDIS_URL as it has it\n"
            )
            code, out, _ = await list_letters(tmp_path, **env)
            assert (code, out.splitlines()[-1]) == (0, "1 dead letter")


async def test_a_redis_that_is_away(cluster: Cluster) -> None:
    """A Redis that cannot be reached is one sentence, and exit code 2."""
    code, out, err = await list_letters(cluster.data_dir, REDIS_URL="redis://127.0.0.1:1/0")
    assert (code, out) == (2, "")
    assert err == "REDIS_URL: 127.0.0.1:1 cannot be reached (Connection refused)\n"
