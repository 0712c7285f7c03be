"""A pipe to which a process writes lines."""

import asyncio
import os
from collections.abc import Callable

MAX_LINE_CHARACTERS = 65536


class LinePipe:
    """Calls `on_line` with every line that is written to `write_end`.

    The pipe outlives the processes that write to it. So the end of a process is noticed also while
    one of its children keeps the pipe open, and its last lines are shown before its end.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._pending = b""
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def finish(self) -> None:
        """Read all lines that are there now, and an unfinished last line."""
        while self._read():
            pass
        if self._pending:
            self._emit(self._pending)
            self._pending = b""

    def close(self) -> None:
        """Read all lines that are there now, and close both ends."""
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
