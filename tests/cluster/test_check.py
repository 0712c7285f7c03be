"""`python -m deploy.cluster --check`: what is set, from where, and what is wrong."""

from pathlib import Path

import pytest

from deploy.servers.balancer_program import WHEELS
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.process import run, without_haproxy
from tests.support.valkey import Valkey


class Checked:
    """What a check says.

    Attributes:
        code: the exit code.
        settings: origin and value of each setting.
        lines: the lines of standard output that are none of a setting.
        wrong: the lines of standard error.
    """

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        rows = [line.split(maxsplit=2) for line in out.splitlines()]
        named = [row for row in rows if row[1:2] and row[1] in {"environment", "default", "data"}]
        self.settings = {name: (origin, value) for name, origin, value in named}
        self.lines = [" ".join(row) for row in rows if row and row not in named]
        self.wrong = err.splitlines()


async def check(data_dir: Path, **env: str) -> Checked:
    """Check the settings of a cluster on free ports."""
    ports = {"PORT": str(free_port((0, 1, 2, 500, 1000, 1001, 1002, 1101)))}
    given = {"DATA_DIR": str(data_dir), **ports, **env}
    return Checked(*await run("deploy.cluster", "--check", env=given))


async def test_nothing_is_wrong(tmp_path: Path) -> None:
    """With good settings it names the value and the origin of each, and makes nothing."""
    folder = tmp_path / "new"
    found = await check(folder, GATEWAYS="3", LOG_LEVEL="'debug'\r", PORT="", NO_COLOR="")
    assert (found.code, found.wrong) == (0, [])
    assert found.lines == ["nothing is wrong"]
    assert found.settings["GATEWAYS"] == ("environment", "3")
    assert found.settings["LOG_LEVEL"] == ("environment", "debug")
    assert found.settings["PORT"] == ("default", "8080")
    assert found.settings["ADMIN_PORT"] == ("default", "9080")
    assert found.settings["DATA_DIR"] == ("environment", str(folder))
    assert found.settings["SECURITY_LOG"] == ("default", f"{folder}/log/security.log")
    assert found.settings["ALLOWED_ORIGINS"] == ("default", "self,loopback")
    assert found.settings["PARTITIONS"] == ("default", "8")
    assert not folder.exists()


async def test_a_folder_below_a_file(tmp_path: Path) -> None:
    """A DATA_DIR that cannot be there is told in one sentence."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    found = await check(folder)
    assert found.code == 2
    assert found.wrong == [f"DATA_DIR={folder} cannot be written: choose another with DATA_DIR="]


async def test_a_folder_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """A DATA_DIR that the system gives no word of is told in sentences, beside all settings."""
    folder = tmp_path / ("x" * 300)
    found = await check(folder)
    assert (found.code, found.settings["DATA_DIR"]) == (2, ("environment", str(folder)))
    folder_fault, database_fault = found.wrong
    assert folder_fault.startswith(f"DATA_DIR={folder} cannot be written (File name too long): ")
    assert database_fault.endswith("/parley.db cannot be used (File name too long)")


async def test_what_follows_from_another_setting(tmp_path: Path) -> None:
    """A default that depends on another setting is shown as that setting makes it."""
    found = await check(tmp_path / "new", PARTITIONS="16")
    assert found.settings["PARTITIONS"] == ("environment", "16")
    assert found.settings["MAX_BACKLOG"] == ("default", "100000")


async def test_all_faults_at_once(tmp_path: Path) -> None:
    """Every fault has its sentence, whatever else is wrong, and no secret is in any of them."""
    found = await check(
        tmp_path,
        PORT="70000",
        GATEWAYS="none",
        MAX_CONTENT="0",
        RATE_JOINS="often",
        ALLOWED_ORIGINS="https://chat.example/",
        PUBLIC_URL="chat.example",
        SECRET_KEYS="canary\r",
        JWT_KEY="canary",
        GUESTS="on",
        HOST="0.0.0.0",  # noqa: S104
        REDIS_URL="redis://:can@ary@127.0.0.1/0",
        DATABASE_URL="mysql://ann:canary@127.0.0.1/x",
        TLS_CERT="/no/such/file",
    )
    assert found.code == 2
    beginnings = [
        *("PORT=70000", "GATEWAYS=none", "MAX_CONTENT=0", "RATE_JOINS=often", "ALLOWED_ORIGINS="),
        *(
            "SECRET_KEYS has a carriage return",
            "JWT_KEY is set, and",
            "GUESTS=on needs",
            "PUBLIC_URL=",
        ),
        *("HOST=0.0.0.0 is open", "REDIS_URL has a raw @", "DATABASE_URL is not valid"),
        "TLS_CERT=/no/such/file cannot be used",
    ]
    for beginning in beginnings:
        assert len([line for line in found.wrong if line.startswith(beginning)]) == 1, beginning
    assert len(found.wrong) == len(beginnings), found.wrong
    assert found.settings["PORT"] == ("environment", "(not valid)")
    assert found.settings["JWT_KEY"] == ("environment", "(hidden)")
    everything = " ".join([*found.wrong, *found.lines, *map(str, found.settings.values())])
    assert "canary" not in everything
    assert "nothing is wrong" not in everything


async def test_servers_that_cannot_be_used(tmp_path: Path) -> None:
    """A Redis or a database that cannot be used is told with the rest."""
    async with Valkey() as server:
        url = f"redis://:canary@127.0.0.1:{server.port}/0"
        (tmp_path / "parley.db").write_text("sheep" * 1000)
        found = await check(tmp_path, REDIS_URL=url)
    assert found.code == 2
    assert [line.partition(":")[0] for line in found.wrong] == [
        "REDIS_URL",
        "DATABASE_URL or DATA_DIR",
    ]
    assert found.settings["REDIS_URL"] == ("environment", f"redis://***@127.0.0.1:{server.port}/0")


async def test_what_the_data_says(tmp_path: Path) -> None:
    """Beside a running cluster it names what its data says, and where it runs."""
    async with Cluster(gateways=1, data_dir=tmp_path) as cluster:
        found = await check(tmp_path, PORT=str(cluster.port), GATEWAYS="1")
        other = await check(tmp_path, PORT=str(cluster.port), PARTITIONS="4")
        namespace, pid = cluster.namespace, cluster.pid("cluster")
        taken = await check(tmp_path / "other", PORT=str(cluster.port))
    assert (found.code, found.wrong) == (0, [])
    assert found.settings["NAMESPACE"] == ("data", namespace)
    assert found.settings["PARTITIONS"] == ("data", "8")
    assert found.settings["SECRET_KEYS"] == ("data", "(hidden)")
    assert found.lines[0] == f"a cluster runs here: {cluster.url} (pid {pid})"
    [sentence] = other.wrong
    assert sentence.startswith("PARTITIONS=4 is not valid")
    [sentence] = taken.wrong
    assert sentence.startswith(f"port {cluster.port} is taken")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAX_CONTENTS", "MAX_CONTENT"),
        ("ALOWED_ORIGINS", "ALLOWED_ORIGINS"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("PARLEY_PORT", "PORT"),
        ("log_level", "LOG_LEVEL"),
    ],
)
async def test_a_name_that_is_almost_a_setting(tmp_path: Path, name: str, meant: str) -> None:
    """A variable that differs from a setting by a letter is named, and is no fault."""
    found = await check(tmp_path, **{name: "1", "MAX_SPEED": "1", "REDIS_PORT": "6379"})
    assert found.code == 0
    assert found.lines[0] == f"{name} is no setting: did you mean {meant}?"
    assert found.lines[1:] == ["nothing is wrong"]


async def test_a_start_names_it_too(tmp_path: Path) -> None:
    """A cluster that starts names such a variable in its log."""
    cluster = Cluster(gateways=1, data_dir=tmp_path, env={"MAX_CONTENTS": "9"})
    async with cluster:
        await cluster.wait_line(r"\[warning\] MAX_CONTENTS is no setting: did you mean MAX_CONTENT")


async def test_a_load_balancer_that_is_not_maintained(tmp_path: Path) -> None:
    """Where others can reach it, what gets no more fixes is told, and is no fault."""
    path = without_haproxy()
    env = {"LOAD_BALANCER": "haproxy", "ALLOW_OPEN": "yes", "PATH": path}
    if WHEELS["haproxy"]() is None:
        pytest.skip("no HAProxy wheel fits this machine")
    found = await check(tmp_path / "new", HOST="0.0.0.0", **env)  # noqa: S104  nothing listens
    assert found.code == 0
    (said,) = [line for line in found.lines if "is not maintained" in line]
    assert said.startswith("haproxy is not maintained: OpenSSL 3.0.15 (no fixes since 2026-09-07)")
    assert "install your distribution's haproxy, version 2.6 or newer" in said
    found = await check(tmp_path / "new", **env)
    assert found.lines == ["nothing is wrong"]
