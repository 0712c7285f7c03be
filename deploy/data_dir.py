"""The data folder of a cluster: what it keeps between two runs."""

import errno
import fcntl
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.private import folder_fault, make_private
from shared.config import DATABASE_FILE, ConfigError
from shared.config.owner import Owner, lock_file, redis_url_file

FULL = {errno.ENOSPC, errno.EDQUOT}

# A part of the command line by which a process is recognized, if it is not its role's name.
COMMAND_MARKS = {"redis": "-server", "cluster": "deploy.cluster"}


class StartError(Exception):
    """The cluster cannot start; the text is one sentence, and the exit code 1."""


class DataDir:
    """The folder DATA_DIR: logs, configuration and pids of processes, keys, and a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.run = self.path / "run"
        self.log = self.path / "log"
        self.redis_url_file = redis_url_file(self.path)
        self._ready = self.path / "was_ready"

    def claim(
        self, url: str, *, redis_url: str = "", own_database: bool = True, auth_mode: str = ""
    ) -> None:
        """Create the folder or make it private, and lock it until this process ends.

        Args:
            url: the address of this cluster; with the others for the commands of an operator.
            redis_url: the embedded Redis; empty where there is none.
            own_database: True if the database is the file in this folder.
            auth_mode: AUTH_MODE of the gateways; empty where that is not known.

        Raises:
            ConfigError: The folder cannot be written to, is another user's, or is shared.
            StartError: A running cluster has the lock, or the disk is full.
        """
        with self.explained():
            if fault := folder_fault(self.path):
                raise ConfigError(fault)
            for folder in (self.path, self.run, self.log):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_private(self.path)
            owner = Owner(
                os.getpid(), url, redis_url, own_database, auth_mode, redis_url_in_file=True
            )
            self._lock(owner)
            self.write_pid("cluster", os.getpid())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Put in one sentence why something in the folder cannot be written.

        Raises:
            ConfigError: It is no folder, or one that this user must not write to.
            StartError: The disk is full, which is no fault of the setting.
        """
        try:
            yield
        except OSError as error:
            where = f"DATA_DIR={self.path}"
            if error.errno in FULL:
                raise StartError(f"{where} is on a full disk: free some space on it") from error
            raise ConfigError(
                f"{where} cannot be written ({error.strerror}): choose another with DATA_DIR="
            ) from error

    def _lock(self, owner: Owner) -> None:
        # Never closed, so that the lock ends with this process. Children do not inherit it.
        lock = os.open(lock_file(self.path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(self._already_running(os.read(lock, 1000))) from error
        os.ftruncate(lock, 0)
        os.write(lock, msgspec.json.encode(owner))

    def _already_running(self, owner: bytes) -> str:
        try:
            found = msgspec.json.decode(owner, type=Owner)
        except msgspec.DecodeError:  # the other process has the lock and has not written its URL
            return f"another cluster is starting in {self.path}: choose another DATA_DIR"
        return (
            f"a cluster is already running on {found.url} (pid {found.pid}, data in {self.path}):"
            f" stop it with `kill {found.pid}`, or choose another PORT and another DATA_DIR"
        )

    def write_pid(self, name: str, pid: int) -> None:
        """Write the pid file of process `name`, in one step that a reader never sees half of.

        On a full disk there is no space for a new file. The old file has its space, and names a
        process that has ended: it is written over.
        """
        file, text = self.run / f"{name}.pid", f"{pid}\n"
        try:
            write_atomically(file, text)
        except OSError:
            if not file.exists():
                raise
            with file.open("r+") as opened:
                opened.write(text)
                opened.truncate()

    def remove_pid(self, name: str) -> None:
        """Delete the pid file of process `name`."""
        (self.run / f"{name}.pid").unlink(missing_ok=True)

    @property
    def was_ready(self) -> bool:
        """True if a cluster in this folder was ready once, or has left data in it."""
        return self._ready.exists() or (self.path / DATABASE_FILE).exists()

    def note_ready(self) -> None:
        """Note that a cluster in this folder is ready."""
        self._ready.touch(mode=0o600)

    def leftovers(self) -> dict[str, int]:
        """Return name and pid of every process of an earlier cluster that still runs."""
        found = {}
        for file in self.run.glob("*.pid"):
            name = file.stem
            mark = COMMAND_MARKS.get(name, name.partition("-")[0])
            pid = int(file.read_text().strip() or 0)
            if pid not in {0, os.getpid()} and mark in command_line(pid):
                found[name] = pid
        return found

    def secret_keys(self) -> str:
        """Return the folder's secret keys; the first call creates them."""
        file = self.path / "secret_keys"
        if not file.exists():
            write_atomically(file, secrets.token_urlsafe(32) + "\n")
        return file.read_text().strip()

    def operator_secret(self, given: str | None) -> str:
        """Return the operator's secret of this run, and keep it in a file for commands and tools.

        Args:
            given: `OPERATOR_SECRET`; None for a random one.
        """
        secret = given or secrets.token_urlsafe(32)
        write_atomically(self.run / "operator_secret", f"{secret}\n")
        return secret


def write_atomically(file: Path, text: str) -> None:
    """Replace `file` in one step, so that no crash leaves half of it; only its user can read it."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def command_line(pid: int) -> str:
    """Return the command line of process `pid`; empty when there is no such process."""
    if Path("/proc/self/cmdline").exists():
        try:
            return (
                Path(f"/proc/{pid}/cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode(errors="replace")
            )
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603  a number is all that is passed
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout
