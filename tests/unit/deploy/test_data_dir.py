"""The folder of a cluster."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.data_dir import DataDir, StartError
from shared.config import ConfigError


def test_a_folder_has_one_cluster(tmp_path: Path) -> None:
    """A second claim is refused with the URL and the pid of who has the first."""
    DataDir(tmp_path).claim("http://127.0.0.1:1234")
    with pytest.raises(StartError) as refused:
        DataDir(tmp_path).claim("http://127.0.0.1:5678")
    assert "already running on http://127.0.0.1:1234 " in str(refused.value)
    assert f"`kill {os.getpid()}`" in str(refused.value)


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    """What a process claimed is free once it is gone, even if it had no time to let go."""
    claim = "import os, sys; from pathlib import Path; from deploy.data_dir import DataDir;"
    claim += "DataDir(Path(sys.argv[1])).claim('x'); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", claim, tmp_path], check=False)
    assert killed.returncode == -9
    DataDir(tmp_path).claim("y")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A DATA_DIR that is no folder is refused in one sentence."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^DATA_DIR=.* cannot be written"):
        DataDir(tmp_path / "file").claim("x")


def test_the_folder_is_private(tmp_path: Path) -> None:
    """Only its user may look into a data folder, and into the file of its keys."""
    data_dir = DataDir(tmp_path / "new")
    data_dir.claim("x")
    data_dir.secret_keys()
    assert data_dir.path.stat().st_mode & 0o077 == 0
    assert (data_dir.path / "secret_keys").stat().st_mode & 0o077 == 0


def test_keys_are_made_once(tmp_path: Path) -> None:
    """The keys of a folder stay what they were, and no two folders have the same."""
    first, second = DataDir(tmp_path / "1"), DataDir(tmp_path / "2")
    first.claim("x")
    second.claim("x")
    keys = first.secret_keys()
    assert len(keys) >= 32
    assert first.secret_keys() == keys
    assert second.secret_keys() != keys


async def test_processes_left_over_are_found(tmp_path: Path) -> None:
    """A pid file counts as long as its process lives and is what the file says."""
    data_dir = DataDir(tmp_path)
    data_dir.claim("x")
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", "gateway", stdin=asyncio.subprocess.PIPE
    )
    data_dir.write_pid("gateway-1", gateway.pid)
    data_dir.write_pid("persister-1", gateway.pid)  # its number was given to another since
    data_dir.write_pid("redis", 2**22 + 1)  # gone
    assert data_dir.leftovers() == {"gateway-1": gateway.pid}
    await gateway.communicate(b"\n")
    assert data_dir.leftovers() == {}
