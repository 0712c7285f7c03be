"""The privacy of a data folder."""

import os
import stat
from pathlib import Path

import pytest

from deploy.data_dir import DataDir
from deploy.private import folder_fault, make_private
from shared.config import ConfigError


def mode(path: Path) -> int:
    """The bits of a file's mode that `chmod` sets."""
    return stat.S_IMODE(path.stat().st_mode)


def test_an_empty_folder_is_closed(tmp_path: Path) -> None:
    """A folder that somebody made for the data, or a fresh volume, becomes private."""
    tmp_path.chmod(0o777)
    (tmp_path / "lost+found").mkdir()
    DataDir(tmp_path).claim("x")
    assert {mode(each) for each in (tmp_path, tmp_path / "run", tmp_path / "log")} == {0o700}


def test_files_of_earlier_versions_are_closed(tmp_path: Path) -> None:
    """What earlier versions left open to others is theirs no more; links lead nowhere."""
    outside = tmp_path / "outside" / "syslog"
    outside.parent.mkdir(mode=0o755)
    outside.write_text("not ours")
    outside.chmod(0o644)
    folder = tmp_path / "data"
    (folder / "appendonlydir").mkdir(parents=True)
    for name in ("parley.db", "parley.db-wal", "secret_keys", "appendonlydir/x.aof"):
        (folder / name).touch(mode=0o644)
    (folder / "log").symlink_to(outside.parent)
    folder.chmod(0o755)
    assert folder_fault(folder) is None
    make_private(folder)
    open_ones = [each for each in folder.rglob("*") if not each.is_symlink() and mode(each) & 0o77]
    assert (mode(folder), open_ones) == (0o700, [])
    assert (mode(outside.parent), mode(outside)) == (0o755, 0o644)


def test_the_folder_behind_a_link_is_closed(tmp_path: Path) -> None:
    """A DATA_DIR that is a link becomes private where the data is."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    (tmp_path / "data").symlink_to(folder)
    DataDir(tmp_path / "data").claim("x")
    assert (mode(folder), mode(folder / "run")) == (0o700, 0o700)


def test_a_closed_folder_may_hold_anything(tmp_path: Path) -> None:
    """In a folder that nobody else can enter, files of the operator's own stay as they are."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "notes.txt").touch()
    (folder / "notes.txt").chmod(0o644)
    DataDir(folder).claim("x")
    assert mode(folder / "notes.txt") == 0o644


@pytest.mark.parametrize("open_to", [0o750, 0o705, 0o770, 0o701, 0o777])
def test_a_shared_folder_is_refused(tmp_path: Path, open_to: int) -> None:
    """Files of others in a folder that they can enter are named, three at most."""
    for name in ("a", "b", "c", "d", "parley.db"):
        (tmp_path / name).touch()
    tmp_path.chmod(open_to)
    with pytest.raises(ConfigError) as refused:
        DataDir(tmp_path).claim("x")
    assert "files that are not Parley's (a, b, c and 1 more): choose" in str(refused.value)
    assert mode(tmp_path) == open_to


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_laid_there_is_refused(tmp_path: Path) -> None:
    """A file with a name of ours that another user made is not ours."""
    (tmp_path / "secret_keys").write_text("known to another user")
    os.chown(tmp_path / "secret_keys", 65_534, 65_534)
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match=r"not Parley's \(secret_keys\)"):
        DataDir(tmp_path).claim("x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_makes_before_the_folder_is_closed_is_refused(tmp_path: Path) -> None:
    """A folder for secrets that another user made and may hold open is not used."""
    folder = tmp_path / "data"
    (folder / "run").mkdir(parents=True, mode=0o777)
    os.chown(folder / "run", 65_534, 65_534)
    folder.chmod(0o700)
    assert "holds run of another user" in str(folder_fault(folder))  # as the check of settings says
    with pytest.raises(ConfigError, match=r"holds run of another user \(nobody\): remove it"):
        DataDir(folder).claim("x")
    assert [*(folder / "run").iterdir()] == []
