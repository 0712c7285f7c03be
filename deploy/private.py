"""The privacy of a data folder: its files are for the user who runs the cluster, and nobody else.

The folder holds what people wrote, the keys of grants, and the secrets of the running cluster. Who
can write into it can replace any of them, whatever the modes of the files are.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from shared.config import DATABASE_FILE, ConfigError

OTHERS: Final = 0o077
"""Bits of a mode that let the group and others in."""

OURS: Final = (
    # SQLite's files, and copies of them beside it.
    f"{DATABASE_FILE}*",
    # Those of Redis; see `deploy/servers/aof.py` and `deploy/servers/space.py`.
    *("appendonlydir", "appendonlydir-cut-*", "temp-*.aof", "temp-*.rdb", "dump.rdb"),
    *("run", "log", "was_ready", "secret_keys", "secret_keys.new"),
    "caddy",
)
"""Names of what Parley and its servers make in a data folder."""

OF_FILE_SYSTEMS: Final = "lost+found"
"""What stands in a volume that nobody has used yet."""

SHOWN: Final = 3
"""Names in a sentence, at most."""


def folder_fault(path: Path) -> str | None:
    """Return why a data folder cannot be made private; None if it can, or is none yet.

    The text is one sentence. A folder that is open to others and holds somebody's files is no
    folder for data: they may be shared on purpose, and who may change them could have laid them
    there for us. An empty one, such as a fresh volume, and one of our own can be closed. In one
    that is closed, what another user made under a name of ours is no good either.

    Raises:
        OSError: it cannot be looked into.
    """
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(info.st_mode):
        return None  # whoever writes into it says so
    if info.st_uid != os.geteuid():
        return (
            f"DATA_DIR={path} belongs to another user ({_name_of(info.st_uid)}): choose a folder of"
            f" your own, such as {path / 'parley'}"
        )
    if not info.st_mode & OTHERS:
        faults = (_owner_fault(entry) for entry in path.iterdir() if _is_ours(entry.name))
        return next(filter(None, faults), None)
    if foreign := sorted(_foreign(path)):
        more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
        return (
            f"DATA_DIR={path} is open to other users and holds files that are not Parley's"
            f" ({', '.join(foreign[:SHOWN])}{more}): choose a folder of its own, or close it with"
            f" `chmod 700 {path}`"
        )
    return None


def make_private(path: Path) -> None:
    """Close a data folder and all of Parley's files in it, also those of earlier versions.

    Raises:
        ConfigError: another user has put something there meanwhile.
        OSError: a mode cannot be changed.
    """
    _close(path, through_links=True)  # of a link, the folder that it leads to
    for entry in path.iterdir():
        if _is_ours(entry.name) and (fault := _owner_fault(entry)):
            raise ConfigError(fault)
        # What a link leads to is somebody else's, such as a folder of all programs' logs.
        if entry.is_symlink() or not _is_ours(entry.name):
            continue
        _close(entry)
        for folder, folders, files in os.walk(entry):
            for each in (*folders, *files):
                _close(Path(folder, each))


def _owner_fault(entry: Path) -> str | None:
    """Return why what has a name of ours cannot be used: another user than root has made it.

    It is asked for a folder that nobody else can enter by now, so nothing comes after this look.
    Before, while it was open, `run` with its secrets could be made by somebody who goes on holding
    it open.
    """
    try:
        owner = entry.lstat().st_uid
    except FileNotFoundError:  # as in `_close`
        return None
    if owner in {os.geteuid(), 0}:
        return None
    return (
        f"DATA_DIR={entry.parent} holds {entry.name} of another user ({_name_of(owner)}):"
        " remove it, or choose another folder"
    )


def _close(path: Path, *, through_links: bool = False) -> None:
    """Take the rights of all others from a file or folder of this user."""
    try:
        info = path.stat(follow_symlinks=through_links)
    except FileNotFoundError:  # a process of an earlier cluster, which ends now, has removed it
        return
    own = info.st_uid == os.geteuid() and not stat.S_ISLNK(info.st_mode)
    if own and info.st_mode & OTHERS:
        path.chmod(stat.S_IMODE(info.st_mode) & ~OTHERS)


def _foreign(path: Path) -> Iterator[str]:
    """The names of what stands in a folder and is not of Parley, or not of this user."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name == OF_FILE_SYSTEMS:
                continue
            owner = entry.stat(follow_symlinks=False).st_uid
            if not _is_ours(entry.name) or owner != os.geteuid():
                yield entry.name


def _is_ours(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in OURS)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"number {user}"
