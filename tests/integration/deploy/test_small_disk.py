"""What is done to the files of Redis while their disk is full."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.data_dir import DataDir, StartError
from deploy.servers.aof import FOLDER, repair_aof
from deploy.servers.discovery import find_redis
from deploy.servers.space import missing_space
from shared.supervision import ProcessState, SupervisionFile, path_in
from tests.support.small_disk import SmallDisk

WHOLE = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
GARBAGE = b"\0" * 10_000


@pytest.fixture
async def disk() -> AsyncIterator[SmallDisk]:
    """A disk of 8 MiB."""
    async with SmallDisk(8) as small:
        yield small


@pytest.fixture
def folder(disk: SmallDisk) -> Path:
    """The folder of a cluster's data on the disk."""
    data_dir = DataDir(disk.seen() / "data")
    data_dir.claim("x")
    return data_dir.path


def broken_aof(folder: Path) -> Path:
    """Files as Redis has them, with garbage at the end of what it appended last."""
    aof = folder / FOLDER
    aof.mkdir()
    (aof / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    file = aof / "appendonly.aof.1.incr.aof"
    file.write_bytes(WHOLE + GARBAGE)
    return file


def test_space_is_missing_until_it_is_there(disk: SmallDisk, folder: Path) -> None:
    """A full disk is named with the reason; once there is space, nothing is missing."""
    assert missing_space(folder) is None
    disk.fill()
    assert "(No space left on device)" in str(missing_space(folder))
    disk.free()
    assert missing_space(folder) is None


def test_an_unfinished_rewrite_gives_its_space_back(disk: SmallDisk, folder: Path) -> None:
    """What a rewrite of the append-only file left when Redis ended does not keep the disk full."""
    unfinished = folder / "temp-rewriteaof-bg-17.aof"
    unfinished.write_bytes(bytes(4 * 2**20))
    disk.fill()
    assert missing_space(folder) is None
    assert not unfinished.exists()


def test_a_broken_file_is_repaired_once_there_is_space(disk: SmallDisk, folder: Path) -> None:
    """On a full disk nothing is cut off and nothing is left over; later it is cut off and kept."""
    file = broken_aof(folder)
    redis = find_redis()
    before = sorted(folder.rglob("*"))
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        repair_aof(redis.path, folder)
    assert file.read_bytes() == WHOLE + GARBAGE
    assert sorted(folder.rglob("*")) == before
    disk.free()
    said = str(repair_aof(redis.path, folder))
    assert f"{len(GARBAGE)} bytes at its end were removed" in said
    assert file.read_bytes() == WHOLE
    [kept] = folder.glob("appendonlydir-cut-*")
    assert kept.read_bytes() == GARBAGE
    assert repair_aof(redis.path, folder) is None


def test_pid_files_and_states_are_written_on_a_full_disk(disk: SmallDisk, folder: Path) -> None:
    """The pid file of a process that is restarted names the new one, and its state is shown."""
    data_dir = DataDir(folder)
    data_dir.write_pid("gateway-1", 1234567)
    states = SupervisionFile(folder, 1)
    disk.fill()
    data_dir.write_pid("gateway-1", 89)
    assert (data_dir.run / "gateway-1.pid").read_text() == "89\n"
    states.write([ProcessState(name="gateway-1", pid=89, failures=3, ending="killed by SIGKILL")])
    assert '"pid":89' in path_in(folder).read_text()
    with pytest.raises(OSError, match="No space left"):
        data_dir.write_pid("gateway-2", 90)  # it had no file, and there is no space for one
    assert not list(data_dir.run.glob("gateway-2*"))


def test_a_full_disk_is_told_at_the_start(disk: SmallDisk) -> None:
    """A cluster cannot start on a full disk, and says so in a sentence."""
    disk.fill()
    with pytest.raises(StartError, match=r"^DATA_DIR=.* is on a full disk: free some space"):
        DataDir(disk.seen() / "data").claim("x")
