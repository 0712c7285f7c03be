"""A whole cluster: how it starts, what it does when processes die, and how it ends."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import connect

from deploy.data_dir import command_line
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER, until_gone
from tests.support.wholeness import until_whole

NAMES = ["cluster", "redis", "persister-1", "gateway-1", "gateway-2", "haproxy"]
FEWEST = [name for name in NAMES if name != "gateway-2"]  # with one gateway


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    """One cluster for the tests that leave it as well as they found it."""
    async with Cluster(env={"LOAD_BALANCER": "haproxy"}) as running:
        yield running


async def test_ready_is_one_line(cluster: Cluster) -> None:
    """All that the cluster prints on standard output is that it is ready, and then it is."""
    assert cluster.stdout == [f"cluster ready: {cluster.url}"]
    await until_whole(cluster)


async def test_every_process_has_a_pid_file(cluster: Cluster) -> None:
    """run/NAME.pid names the living process of each name, and logs are under its name too."""
    await until_whole(cluster)
    for name in NAMES:
        part = {"cluster": "deploy.cluster", "redis": "-server"}.get(name)
        assert (part or name.partition("-")[0]) in command_line(cluster.pid(name))
        assert (cluster.data_dir / "log" / f"{name}.log").exists()


@pytest.mark.parametrize("name", ["gateway-1", "persister-1", "redis", "haproxy"])
async def test_what_is_killed_is_started_again(cluster: Cluster, name: str) -> None:
    """After kill -9 of any process it runs again with another pid, and the cluster is ready."""
    old_pid = cluster.kill(name)
    new_pid = await cluster.wait_restarted(name, old_pid)
    assert new_pid == cluster.pid(name)
    await until_whole(cluster)


async def test_a_gateway_that_dies_is_not_noticed(cluster: Cluster) -> None:
    """While a gateway is killed and starts again, every request to the cluster is answered."""
    await until_whole(cluster)
    old_pid = cluster.kill("gateway-2")
    restarted = asyncio.create_task(cluster.wait_restarted("gateway-2", old_pid))
    async with httpx.AsyncClient(base_url=cluster.url, timeout=HANGS_AFTER) as client:
        while not restarted.done():
            assert (await client.get("/health/live")).status_code == 200
    await restarted
    await until_whole(cluster)


async def test_a_second_cluster_is_refused_the_data(cluster: Cluster) -> None:
    """A cluster on the data of a running one ends at once, and says where that one is."""
    second = Cluster(data_dir=cluster.data_dir)
    await second.start()
    assert await second.wait_ended() == 1
    (sentence,) = second.lines
    assert f"already running on {cluster.url} (pid {cluster.pid('cluster')}" in sentence
    assert f"kill {cluster.pid('cluster')}" in sentence


async def test_a_second_cluster_is_refused_the_port(cluster: Cluster, tmp_path: Path) -> None:
    """A cluster on the port of another program ends at once, and says which port and setting."""
    second = Cluster(data_dir=tmp_path, port=cluster.port)
    await second.start()
    assert await second.wait_ended() == 1
    assert second.lines == [
        f"port {cluster.port} is taken by another program: choose another with PORT="
    ]


async def test_an_ordered_end() -> None:
    """SIGTERM ends gateways, persisters and Redis in this order, and leaves no pid file."""
    # A minute to end in, which none needs: there is no client to send away.
    async with Cluster(env={"DRAIN_SECONDS": "60"}) as cluster:
        pids = [cluster.pid(name) for name in NAMES]
        assert await cluster.stop(signal.SIGTERM) == 0
        for pid in pids:
            await until_gone(pid)
        ends = [
            next(n for n, line in enumerate(cluster.lines) if re.match(end, line))
            for end in (
                r"cluster +\| .* SIGTERM: stopping in order",
                r"gateway-[12] +\| .* gateway ended",
                r"persister-1 +\| .* persister ended",
                r"redis +\| .* ready to exit",
                r"cluster +\| .* stopped$",
            )
        ]
        assert ends == sorted(ends)
        assert not [line for line in cluster.lines if "killing it" in line]
        assert list((cluster.data_dir / "run").glob("*.pid")) == []


@pytest.mark.parametrize("load_balancer", ["haproxy", "caddy"])
async def test_connections_are_closed_by_their_gateway(load_balancer: str) -> None:
    """At the end a WebSocket is told by its gateway to come back (1012), not just cut off."""
    async with Cluster(gateways=1, env={"LOAD_BALANCER": load_balancer}) as cluster:
        async with connect(f"{cluster.ws_url}/ws?username=ann") as socket:
            stopping = asyncio.create_task(cluster.stop(signal.SIGINT))
            await socket.wait_closed()
        assert socket.close_code == 1012
        assert await stopping == 0


async def test_a_second_interrupt_ends_at_once() -> None:
    """While the cluster waits for a process that does not end, Ctrl-C again kills them all."""
    async with Cluster(gateways=1, env={"DRAIN_SECONDS": "600"}) as cluster:
        pids = [cluster.pid(name) for name in FEWEST]
        cluster.kill("persister-1", signal.SIGSTOP)
        cluster.kill("cluster", signal.SIGINT)
        await cluster.wait_line("SIGINT: stopping in order")
        assert await cluster.stop(signal.SIGINT) == 130
        for pid in pids:
            await until_gone(pid)


async def test_a_process_that_hangs_is_killed_at_the_end() -> None:
    """A process that does not end in the time of the drain is killed, and the others are not."""
    async with Cluster(env={"DRAIN_SECONDS": "5"}) as cluster:
        cluster.kill("gateway-1", signal.SIGSTOP)
        assert await cluster.stop() == 0
        killed = [line for line in cluster.lines if "killing it" in line]
        assert len(killed) == 1
        assert "gateway-1 did not end within 10 s of SIGTERM" in killed[0]


async def test_a_killed_cluster_leaves_nothing_behind(tmp_path: Path) -> None:
    """After kill -9 of the cluster its processes end too, and the next one finds data and keys."""
    first = Cluster(gateways=1, data_dir=tmp_path)
    async with first:
        pids = [first.pid(name) for name in FEWEST]
        keys = (tmp_path / "secret_keys").read_text()
        first.kill("cluster")
        assert await first.wait_ended() == -signal.SIGKILL
    async with Cluster(gateways=1, data_dir=tmp_path, port=first.port):
        for pid in pids:
            await until_gone(pid)
        assert (tmp_path / "secret_keys").read_text() == keys


async def test_a_bad_setting_of_a_process_ends_the_cluster(tmp_path: Path) -> None:
    """What a gateway refuses is told once, nothing is tried again, and the exit code is 2."""
    cluster = Cluster(gateways=1, data_dir=tmp_path, env={"AUTH_MODE": "jwt"})
    await cluster.start()
    assert await cluster.wait_ended() == 2
    assert [
        line for line in cluster.lines if "| AUTH_MODE=jwt needs exactly one of JWT_KEY" in line
    ]
    assert not [line for line in cluster.lines if "restarting it" in line]
    assert cluster.stdout == []


async def test_a_bad_setting_of_the_cluster_is_one_sentence(tmp_path: Path) -> None:
    """A setting that cannot be used ends the cluster before it starts anything."""
    cluster = Cluster(data_dir=tmp_path, env={"GATEWAYS": "zero"})
    await cluster.start()
    assert await cluster.wait_ended() == 2
    (sentence,) = cluster.lines
    assert sentence.startswith("GATEWAYS=zero is not valid")


async def test_a_process_that_never_comes_up_ends_the_cluster(tmp_path: Path) -> None:
    """Redis with data that it cannot read is named, with its last lines, and all else ends."""
    broken = tmp_path / "appendonlydir"
    broken.mkdir()
    (broken / "appendonly.aof.manifest").write_text("sheep\n")
    cluster = Cluster(data_dir=tmp_path)
    await cluster.start()
    assert await cluster.wait_ended() == 1
    deaths = [line for line in cluster.lines if "redis ended" in line]
    assert len(deaths) == 6
    assert (
        f"6 times in a row, the last time: exit code 1; its last lines (more in {tmp_path}"
        in deaths[-1]
    )
    assert [line for line in cluster.lines if "[error]     " in line and "manifest" in line]


async def test_what_keeps_dying_ends_nothing_else() -> None:
    """Each process may be killed again and again: all others live, and it comes back each time.

    The log and the status page say how often it ended, and how.
    """
    names = ["gateway-1", "persister-1", "redis", "haproxy"]
    async with Cluster(env={"LOAD_BALANCER": "haproxy"}) as cluster:
        others = [cluster.pid(name) for name in ("cluster", "gateway-2")]

        async def kill_again_and_again(name: str) -> None:
            for _ in range(7):
                await cluster.wait_restarted(name, cluster.kill(name))

        await asyncio.gather(*map(kill_again_and_again, names))
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{cluster.admin_port + 2}/status.json"
            status = (await client.get(url)).json()
        shown = {each["name"]: each for each in status["processes"]}
        assert list(shown) == ["redis", "persister-1", "gateway-1", "gateway-2", "haproxy"]
        for name in names:
            assert (shown[name]["failures"], shown[name]["ending"]) == (7, "killed by SIGKILL")
            assert shown[name]["pid"] == cluster.pid(name)
            for times, pause in enumerate(("0.5", "1", "2", "4", "8", "15"), start=2):
                said = f"{name} ended (killed by SIGKILL), {times} times in a row: restarting it in"
                assert [line for line in cluster.lines if line.endswith(f"{said} {pause} s")]
        assert (shown["gateway-2"]["failures"], shown["gateway-2"]["ending"]) == (0, None)
        assert [cluster.pid(name) for name in ("cluster", "gateway-2")] == others
        await until_whole(cluster)


async def test_a_setting_that_is_refused_later_ends_nothing_else(tmp_path: Path) -> None:
    """A gateway that is refused a setting when it is restarted is tried again until it is not."""
    key = tmp_path / "key.pem"
    public = generate_private_key(SECP256R1()).public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    env = {"AUTH_MODE": "jwt", "JWT_PUBLIC_KEY": str(key)}
    async with Cluster(env=env) as cluster:
        others = [cluster.pid(name) for name in ("cluster", "gateway-2")]
        good = key.read_bytes()
        key.write_text("sheep")
        old_pid = cluster.kill("gateway-1")
        await cluster.wait_line(r"gateway-1 ended \(exit code 2\), 3 times in a row")
        key.write_bytes(good)
        await cluster.wait_restarted("gateway-1", old_pid)
        await until_whole(cluster)
        assert [cluster.pid(name) for name in ("cluster", "gateway-2")] == others


async def test_json_lines() -> None:
    """With LOG_FORMAT=json the lines of the cluster and of our processes are JSON objects."""
    async with Cluster(gateways=1, env={"LOG_FORMAT": "json"}) as cluster:
        await cluster.stop()
        records = [json.loads(line) for line in cluster.lines if line.startswith("{")]
        assert {"cluster"} <= {record.get("process") for record in records}
        for name in ("gateway-1", "persister-1", "cluster"):
            for line in (cluster.data_dir / "log" / f"{name}.log").read_text().splitlines():
                assert json.loads(line)["event"]


# What ends or escapes something in a URL, a shell, or the file of Redis, HAProxy or Caddy.
ODD_NAME = 'Bob\'s "größte" data %2F..%2F?mode=memory#{$HOME} \\n;&'


@pytest.fixture(scope="module")
async def peculiar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """One in a folder with a long and odd name, and open to all."""
    folder = tmp_path_factory.mktemp("peculiar") / ODD_NAME / ("x" * 100)
    env = {"HOST": "0.0.0.0", "ALLOW_OPEN": "yes", "DATA_DIR": f"{folder}/\r"}  # noqa: S104
    async with Cluster(gateways=1, data_dir=folder, env=env) as running:
        yield running


async def test_a_data_folder_may_have_any_name(peculiar: Cluster) -> None:
    """Whatever has a meaning in a URL or a configuration has none in DATA_DIR."""
    made = {file.name for file in peculiar.data_dir.iterdir()}
    assert {"appendonlydir", "parley.db", "secret_keys", "run", "log"} <= made
    for name in FEWEST:
        assert (peculiar.data_dir / "run" / f"{name}.pid").exists()
        assert (peculiar.data_dir / "log" / f"{name}.log").exists()
    for folder in (peculiar.data_dir.parent, peculiar.data_dir.parent.parent):
        assert len(list(folder.iterdir())) == 1


async def test_the_whole_machine_may_be_let_in(peculiar: Cluster) -> None:
    """HOST=0.0.0.0 lets the load balancer listen on every address."""
    # Any address of 127.0.0.0/8 is this machine; only a wildcard listens on all of them.
    _, writer = await asyncio.open_connection("127.0.0.2", peculiar.port)
    writer.close()
