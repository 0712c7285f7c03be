"""A pipe that a process writes its lines to."""

import asyncio
import os
from collections.abc import Callable

MAX_LINE_CHARACTERS = 65536


class LinePipe:
    """Calls `on_line` with every line that arrives at `write_end`.

    It outlives the processes that write to it. So the end of a process is seen even while a
    child of its own keeps the pipe open, and what it wrote last is read before its end is told.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._pending = b""
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def finish(self) -> None:
        """Read what is there now, and take an unfinished last line for a line."""
        while self._read():
            pass
        if self._pending:
            self._emit(self._pending)
            self._pending = b""

    def close(self) -> None:
        """Read what is there and close both ends."""
        self.finish()
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)
        os.close(self.write_end)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._read_end, MAX_LINE_CHARACTERS)
        except BlockingIOError:
            return False
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        if len(self._pending) > MAX_LINE_CHARACTERS:
            lines.append(self._pending)
            self._pending = b""
        for line in lines:
            self._emit(line)
        return True

    def _emit(self, line: bytes) -> None:
        self._on_line(line.decode(errors="replace").rstrip())
