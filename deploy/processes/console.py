"""The output of all processes: to standard error, and to a log file for each process."""

import logging
import queue
import sys
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from shared.telemetry import escaped

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
LOG_FILE_BYTES = 10_000_000
# Lines that may wait for a terminal that does not read. Further lines are left out.
WAITING_LINES = 10_000


class LogFile(RotatingFileHandler):
    """The log file of one process, and the one before it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LOG_FILE_BYTES, backupCount=1, encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the base class' name
        """Drop the line: a full disk must not stop the process that is being logged."""


class Console:
    """Shows the lines of every process and keeps them in the log folder.

    A thread writes to standard error. A paused terminal would otherwise block the event loop that
    reads the processes' pipes, and then the processes themselves, when their pipes are full.
    """

    def __init__(
        self,
        log_folder: Path,
        names: list[str],
        *,
        log_format: Literal["text", "json"],
        coloured: bool,
        stream: TextIO = sys.stderr,
    ) -> None:
        self._json = log_format == "json"
        self._stream = stream
        self._files = {name: LogFile(log_folder / f"{name}.log") for name in names}
        width = max(map(len, names))
        self._prefixes = {
            name: _prefix(name.ljust(width), COLOURS[n % len(COLOURS)] if coloured else None)
            for n, name in enumerate(names)
        }
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING_LINES)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def say(self, event: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Write a line of the cluster itself."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._json:
            record = {"timestamp": now, "level": level, "process": "cluster", "event": event}
            self.line("cluster", msgspec.json.encode(record).decode())
        else:
            self.line("cluster", f"{now} [{level}] {event}")

    def line(self, name: str, line: str) -> None:
        """Write a line of process `name`; the line has no line end."""
        line = escaped(line)
        self._files[name].emit(logging.makeLogRecord({"msg": line}))
        try:
            self._waiting.put_nowait(line if self._json else self._prefixes[name] + line)
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Write waiting lines, for two seconds at most, and close the log files."""
        try:
            self._waiting.put(None, timeout=1)
            self._writer.join(timeout=1)
        except queue.Full:
            pass  # the terminal does not read; the log files have all lines
        for file in self._files.values():
            file.close()

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            try:
                self._stream.write(line + "\n")
                if self._left_out and self._waiting.empty():
                    left_out, self._left_out = self._left_out, 0
                    self._stream.write(f"({left_out} lines left out here are in the log files)\n")
                if self._waiting.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                pass  # the terminal is gone; the log files go on


def _prefix(padded_name: str, colour: int | None) -> str:
    return f"{padded_name} | " if colour is None else f"\033[{colour}m{padded_name} |\033[0m "
