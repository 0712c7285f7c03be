"""The file of security events: JSON lines, appended by every process of a machine.

Each line is one `write` to a file that is open for appending, so lines of several processes do not
mix, and none is lost when a process is killed. Whichever process finds the file full renames it;
the others see that the path names another file, and open that (decision 084). Where a full disk
took a part of a line, whichever process writes the next one begins a new line.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.config import ConfigError
from shared.telemetry import OutageLog, logger

MAX_FILE_BYTES: Final = 10_000_000
"""Bytes of a file; then a new one is begun."""

OLDER_FILES: Final = 10
"""Older files that are kept: `security.log.1` is the newest of them."""

MODE: Final = 0o600
"""Only the user of the processes may read it: it has addresses."""

FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Read, to see how the file ends. Opening a pipe would wait for a reader, but for O_NONBLOCK."""

log = logger(__name__)


def check_trail_file(path: str) -> None:
    """Check that the file of security events can be opened, if one is set.

    A full disk is no fault of the setting.

    Raises:
        ConfigError: it cannot be, or is a pipe or device: a reader of it could stop the service.
    """
    if not path:
        return
    try:
        file = os.open(path, FLAGS, MODE)
    except OSError as error:
        if _is_full(error):
            return
        text = f"SECURITY_LOG={path} cannot be written: {error.strerror}"
        raise ConfigError(text) from None
    is_regular = stat.S_ISREG(os.fstat(file).st_mode)
    os.close(file)
    if not is_regular:
        raise ConfigError(f"SECURITY_LOG={path} is not a regular file")


class TrailFile:
    """Appends lines to the file. A disk that is full or broken stops nobody."""

    def __init__(self, path: str, max_bytes: int = MAX_FILE_BYTES) -> None:
        """Prepare; the file is opened with the first line.

        Args:
            path: of the file.
            max_bytes: size at which a new file is begun.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._file: int | None = None
        self._inode = 0
        self._outage = OutageLog(
            log, "security events cannot be written", "security events are written again"
        )
        self._stuck = OutageLog(
            log,
            "the file of security events is full, and there is no new one",
            "a new file of security events has been begun",
        )

    def append(self, line: bytes) -> None:
        """Append a line, which has no line end. Where that fails the line is left out."""
        try:
            file, size = self._open()
            data = b"%b\n" % line
            if size and os.pread(file, 1, size - 1) != b"\n":
                data = b"\n" + data
            if os.write(file, data) < len(data):
                self._outage.failed(OSError("no space left for a whole line"))
                return
        except OSError as error:
            self._outage.failed(error)
            return
        self._outage.succeeded()
        if size + len(data) >= self._max_bytes:
            self._begin_new_file(file)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> tuple[int, int]:
        """Return the file that the path names now, and its size."""
        if self._file is not None:
            if (status := self._named()) is not None:
                return self._file, status.st_size
            self.close()
        self._file = file = os.open(self._path, FLAGS, MODE)
        status = os.fstat(file)
        self._inode = status.st_ino
        return file, status.st_size

    def _named(self) -> os.stat_result | None:
        """Return the status of the open file, or None if the path names another one, or none."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - a third of the time
        except FileNotFoundError:
            return None
        return status if status.st_ino == self._inode else None

    def _begin_new_file(self, full: int) -> None:
        """Rename the file and the older ones, unless another process does it, or has done it."""
        try:
            with _locked(full) as is_ours:
                # Another process may have renamed it before it was locked here.
                if not is_ours or self._named() is None:
                    return
                for number in range(OLDER_FILES, 0, -1):
                    older = Path(f"{self._path}.{number - 1}" if number > 1 else self._path)
                    if older.exists():
                        older.rename(f"{self._path}.{number}")
        except OSError as error:
            self._stuck.failed(error)
        else:
            self._stuck.succeeded()


@contextlib.contextmanager
def _locked(file: int) -> Iterator[bool]:
    """Hold the lock of a file while the block runs, if nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_full(error: OSError) -> bool:
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
