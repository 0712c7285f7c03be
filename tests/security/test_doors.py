"""The doors of a cluster: what answers on which address, and who may open what is behind it."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ResponseError

from shared.config.readers import read_by
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.process import run
from tests.support.tokens import JWT, token
from tests.support.waiting import eventually

ELSEWHERE: Final = "127.0.0.2"
"""An address of this machine on which only what listens on all addresses answers."""

SECRETS: Final = {"SECRET_KEYS": "a-key-of-grants-that-is-long-enough", **JWT}

OPEN: Final = {"HOST": "0.0.0.0", "ALLOW_OPEN": "yes", "RATE_MESSAGES": "1/1h:2"}  # noqa: S104


def shared_folder(parent: Path) -> Path:
    """A folder of data as earlier versions left it where it had been made by others' rules."""
    folder = parent / "data"
    (folder / "log").mkdir(parents=True)
    (folder / "log" / "gateway-1.log").write_text("an old line\n")
    (folder / "secret_keys").write_text("an-old-key-that-is-long-enough-for-us\n")
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return folder


@pytest_asyncio.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A cluster that is open to other machines, in a folder that others could read."""
    folder = shared_folder(tmp_path_factory.mktemp("opened"))
    async with Cluster(gateways=1, data_dir=folder, env=OPEN) as cluster:
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def guarded() -> AsyncIterator[Cluster]:
    """A cluster on loopback, with secrets of every kind."""
    async with Cluster(gateways=1, env=SECRETS) as cluster:
        yield cluster


async def reached(host: str, port: int) -> bool:
    """Return True if something listens on an address."""
    try:
        async with httpx.AsyncClient() as http:
            await http.get(f"http://{host}:{port}/health/live")
    except httpx.ConnectError:
        return False
    except httpx.RemoteProtocolError:
        return True  # Redis does not speak HTTP
    return True


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def processes(cluster: Cluster) -> Iterator[tuple[str, int]]:
    """The processes of a cluster: name and pid."""
    for file in (cluster.data_dir / "run").glob("*.pid"):
        yield file.stem, int(file.read_text())


def command_lines(cluster: Cluster) -> list[str]:
    """The command lines of the processes of a cluster."""
    return [Path(f"/proc/{pid}/cmdline").read_text() for _, pid in processes(cluster)]


def modes(folder: Path) -> dict[Path, int]:
    """The modes of a folder and of all that is in it."""
    found = (folder, *folder.rglob("*"))
    return {each: stat.S_IMODE(each.lstat().st_mode) for each in found}


async def make_room(cluster: Cluster, name: str) -> None:
    """Make a room, as soon as the broker is back."""
    async with Peer(cluster.url, "username=ann") as ann:

        async def made() -> bool:
            try:
                await ann.request("createRoom", {"name": name})
            except Refusal as refusal:
                if refusal.code != "broker_unavailable":
                    raise
                return False
            return True

        await eventually(made)


async def test_host_opens_the_load_balancer_alone(opened: Cluster) -> None:
    """On an address that HOST opens, nothing answers but the load balancer."""
    inner = [opened.gateway_port(1), opened.port + 500]
    inner += [opened.admin_port, opened.admin_port + 1, opened.admin_port + 101]
    for port in inner:
        assert await reached("127.0.0.1", port), port
        assert not await reached(ELSEWHERE, port), port
    async with httpx.AsyncClient() as http:
        ready = await http.get(f"http://{ELSEWHERE}:{opened.port}/health/ready")
    assert ready.status_code == 200


async def test_gateways_behind_an_open_load_balancer_limit_rates(opened: Cluster) -> None:
    """Gateways on loopback limit rates where HOST lets strangers in through the load balancer."""
    async with Peer(opened.url, "username=ann") as ann:
        await ann.request("createRoom", {"name": "limited"})
        await ann.request("joinRoom", {"room": "limited"})
        for n in range(2):
            await ann.request("message", {"room": "limited", "content": str(n)})
        with pytest.raises(Refusal) as refused:
            await ann.request("message", {"room": "limited", "content": "2"})
    assert refused.value.code == "rate_limited"


@pytest.mark.parametrize("name", ["HOST", "GATEWAY_HOST"])
async def test_strangers_are_not_believed(tmp_path: Path, name: str) -> None:
    """Without tokens, no address is opened to others unless the operator says so."""
    env = {"DATA_DIR": str(tmp_path), name: ELSEWHERE.replace("127", "10")}
    for words in (("deploy.cluster",), ("deploy.cluster", "--check")):
        code, _, said = await run(*words, env=env)
        assert code == 2
        assert f"{name}=10.0.0.2 is open to other machines" in said


async def test_gateways_have_a_door_of_their_own() -> None:
    """GATEWAY_HOST opens the gateways, ADMIN_HOST the operator's ports, and clients still chat."""
    env = {"GATEWAY_HOST": ELSEWHERE, "ADMIN_HOST": "127.0.0.3"}
    async with Cluster(gateways=1, env=env) as cluster:
        assert await reached(ELSEWHERE, cluster.gateway_port(1))
        assert not await reached("127.0.0.1", cluster.gateway_port(1))
        for port in (cluster.admin_port, cluster.admin_port + 1, cluster.admin_port + 101):
            assert await reached("127.0.0.3", port)
            assert not await reached("127.0.0.1", port)
        async with Peer(cluster.url, "username=ann") as ann:
            await ann.request("createRoom", {"name": "general"})


async def test_a_gateway_host_of_nobody(tmp_path: Path) -> None:
    """A GATEWAY_HOST that is no address of this machine is one sentence and exit code 2."""
    env = {"DATA_DIR": str(tmp_path), "GATEWAY_HOST": "192.0.2.1", "ALLOW_OPEN": "yes"}
    code, _, said = await run("deploy.cluster", env=env)
    assert (code, said) == (2, "GATEWAY_HOST=192.0.2.1 is not an address of this machine\n")


async def test_redis_asks_for_its_password(opened: Cluster) -> None:
    """The embedded Redis does nothing for who has not read its password in the private file."""
    url = urlsplit(opened.redis_url)
    assert url.hostname == "127.0.0.1"
    for password in (None, "", "guess", (url.password or "")[:-1]):
        stranger: Any = Redis(port=opened.port + 500, password=password)
        with pytest.raises((AuthenticationError, ResponseError)):
            await stranger.get("anything")
        await stranger.aclose()
    async with Redis.from_url(opened.redis_url) as operator:
        assert await operator.ping()


async def test_secrets_are_told_to_nobody(guarded: Cluster) -> None:
    """No command line, no log and no answer of --check shows a secret of the cluster."""
    password = urlsplit(guarded.redis_url).password or ""
    secrets = (password, guarded.operator_secret, *SECRETS.values())
    secrets = tuple(each for each in secrets if len(each) > 8)
    assert len(secrets) >= 4
    code, out, err = await run("deploy.cluster", "--check", env=guarded.environ)
    assert code == 0
    shown = [out, err, *guarded.stdout, *guarded.lines]
    shown += [file.read_text() for file in (guarded.data_dir / "log").iterdir()]
    for text in (*shown, *command_lines(guarded)):
        assert not any(secret in text for secret in secrets)


async def test_each_process_has_what_it_needs(guarded: Cluster) -> None:
    """No process has a setting in its environment that it does not read."""
    found = {name: environ_of(pid).keys() for name, pid in processes(guarded) if name != "cluster"}
    assert found.keys() == {"redis", "haproxy", "gateway-1", "persister-1"}
    ours = read_by("gateway") | read_by("persister") | SECRETS.keys() | {"GATEWAYS", "HOST"}
    for server in ("redis", "haproxy"):
        assert not found[server] & ours
    assert found["gateway-1"] & ours <= read_by("gateway")
    assert found["persister-1"] & ours <= read_by("persister")
    assert found["gateway-1"] >= SECRETS.keys() | {"OPERATOR_SECRET"}
    assert not {name for name in found["persister-1"] if name.startswith("JWT_")}
    assert "SECRET_KEYS" not in found["persister-1"]


async def test_files_are_private(opened: Cluster, guarded: Cluster) -> None:
    """All files of a cluster are its user's alone, also those that others could read before."""
    for cluster in (opened, guarded):
        found = modes(cluster.data_dir)
        assert not [path for path, mode in found.items() if mode & 0o077]
        names = {path.name for path in found}
        assert {"parley.db", "parley.db-wal", "appendonlydir", "was_ready"} <= names
        assert {"redis_url", "redis.conf", "operator_secret", "haproxy.cfg"} <= names
        assert {"haproxy.sock", "gateway-1.log", "security.log"} <= names
        assert any(name.endswith(".aof") for name in names)


async def test_a_shared_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is open to others and has files of its own is no folder for data."""
    folder = shared_folder(tmp_path)
    await asyncio.to_thread((folder / "notes.txt").touch)
    before = modes(folder)
    for words in (("deploy.cluster",), ("deploy.cluster", "--check")):
        code, _, said = await run(*words, env={"DATA_DIR": str(folder)})
        assert code == 2
        assert said == (
            f"DATA_DIR={folder} is open to other users and holds files that are not Parley's"
            f" (notes.txt): choose a folder of its own, or close it with `chmod 700 {folder}`\n"
        )
    assert modes(folder) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """A folder of another user is refused, whoever may write into it."""
    folder = shared_folder(tmp_path)
    os.chown(folder, 65_534, 65_534)
    before = modes(folder)
    for words in (("deploy.cluster",), ("deploy.cluster", "--check")):
        code, _, said = await run(*words, env={"DATA_DIR": str(folder)})
        assert (code, said.count("\n")) == (2, 1)
        assert said.startswith(f"DATA_DIR={folder} belongs to another user (")
    assert modes(folder) == before


async def test_the_operator_acts(guarded: Cluster) -> None:
    """Who read the operator's secret in its private file drains a gateway, and nobody else does."""
    bearer = {"Authorization": f"Bearer {guarded.operator_secret}"}
    pid, url = guarded.pid("gateway-1"), f"http://127.0.0.1:{guarded.admin_port + 1}"
    refused: list[tuple[Mapping[str, str], int, str]] = [
        ({}, 401, "unauthorized"),
        ({"Authorization": f"Bearer {token('ann')}"}, 401, "unauthorized"),
        ({**bearer, "Origin": "https://evil.example"}, 403, "forbidden"),
        ({**bearer, "Sec-Fetch-Site": "same-site"}, 403, "forbidden"),
    ]
    async with httpx.AsyncClient() as http:
        for headers, status, code in refused:
            for port in (guarded.admin_port, guarded.admin_port + 1):
                answer = await http.post(f"http://127.0.0.1:{port}/drain", headers=dict(headers))
                assert (answer.status_code, answer.json()["code"]) == (status, code)
        for port in (guarded.port, guarded.gateway_port(1)):
            answer = await http.post(f"http://127.0.0.1:{port}/drain", headers=bearer)
            assert answer.status_code == 404
        assert guarded.pid("gateway-1") == pid
        retry = f"http://127.0.0.1:{guarded.admin_port + 101}/dead-letters/retry"
        assert (await http.post(retry)).status_code == 401
        answer = await http.post(retry, headers=bearer)
        assert answer.json() == {"stored": 0, "left": 0, "refused": []}
        answer = await http.post(f"{url}/drain", headers={**bearer, "Origin": url})
    assert (answer.status_code, answer.json()["draining"]) == (202, "gateway-1")
    await guarded.wait_restarted("gateway-1", pid)


async def test_passwords_outlive_no_run(tmp_path: Path) -> None:
    """A Redis that ends is started with the password of its run; the next run has another one."""
    async with Cluster(gateways=1, data_dir=tmp_path) as cluster:
        first, secret = urlsplit(cluster.redis_url).password, cluster.operator_secret
        pid = cluster.kill("redis")
        await cluster.wait_restarted("redis", pid)
        await make_room(cluster, "kept")
        assert urlsplit(cluster.redis_url).password == first
    async with Cluster(gateways=1, data_dir=tmp_path) as cluster:
        assert urlsplit(cluster.redis_url).password != first
        assert cluster.operator_secret != secret
        async with Peer(cluster.url, "username=ann") as ann:
            assert await ann.request("joinRoom", {"room": "kept"})


async def test_commands_find_the_password(guarded: Cluster) -> None:
    """A command of the operator finds the Redis of its cluster, password and all, by DATA_DIR."""
    env = {"DATA_DIR": str(guarded.data_dir)}
    code, out, err = await run("persister", "dead-letter", "list", env=env)
    assert (code, out, err) == (0, "0 dead letters\n", "")
