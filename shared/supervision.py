"""The states of supervised processes: the supervisor writes them to a file, gateways read it.

The file has its space from the start, and each state is written over the one before. A new file for
each state could not be written while the disk is full, which is when an operator wants to see it.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

FORMAT: Final = 1
"""The version of the file. A reader shows nothing of another one."""

RESERVED_BYTES: Final = 512
"""Bytes of the file for each process."""


class ProcessState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A supervised process.

    Attributes:
        name: such as `gateway-1`.
        pid: None while it does not run.
        failures: how often it ended in a row; 0 once it has run well.
        ending: how it ended the last time, in words; None if it has not ended.
        next_try_at: when it is started again, Unix ms; None while it runs, or waits for a cause.
        waits_for: what has to change before it is started again, in words.
    """

    name: str
    pid: int | None = None
    failures: int = 0
    ending: str | None = None
    next_try_at: int | None = None
    waits_for: str | None = None


class Supervision(msgspec.Struct, frozen=True):
    """The content of the file: its format, the supervisor's pid, and its processes."""

    format: int
    supervisor: int
    processes: list[ProcessState]


class SupervisionFile:
    """The file in the folder of the data, as its supervisor has it."""

    def __init__(self, data_dir: Path, processes: int) -> None:
        """Make the file, with space for so many processes.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._path = path_in(data_dir)
        self._reserved = RESERVED_BYTES * processes
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.pwrite(self._file, b" " * self._reserved, 0)

    def write(self, processes: list[ProcessState]) -> None:
        """Write over the file, by one call, so that no reader finds half of it.

        Raises:
            OSError: it could not be written.
        """
        text = msgspec.json.encode(Supervision(FORMAT, os.getpid(), processes))
        self._reserved = max(self._reserved, len(text))
        os.pwrite(self._file, text.ljust(self._reserved), 0)

    def remove(self) -> None:
        """Remove the file, at the end of the supervisor."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)


def path_in(data_dir: Path) -> Path:
    """The path of the file."""
    return data_dir / "run" / "processes.json"


def read_supervision(data_dir: Path) -> list[ProcessState] | None:
    """Read what the supervisor of this process wrote; None where nothing supervises it.

    A file that an earlier supervisor left behind names another process than our parent.
    """
    try:
        found = msgspec.json.decode(path_in(data_dir).read_bytes(), type=Supervision)
    except (OSError, msgspec.DecodeError):
        return None
    return found.processes if (found.format, found.supervisor) == (FORMAT, os.getppid()) else None
