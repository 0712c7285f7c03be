"""The client in a terminal and on pipes."""

import asyncio
import os
import pty
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.clients.python.listening import ROOT
from tests.support.waiting import HANGS_AFTER


@asynccontextmanager
async def terminal(*arguments: str, **streams: Any) -> AsyncIterator[Process]:  # noqa: ANN401 - of subprocess
    """Run the client in a terminal, or on pipes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "parley_chat", *arguments),
        cwd=ROOT,
        limit=2**20,
        **({"stdin": PIPE, "stdout": PIPE, "stderr": PIPE} | streams),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(*arguments: str, typed: str = "") -> tuple[int | None, str, str]:
    """Run the client on pipes to its end; return its exit code, what it said, and its errors."""
    async with terminal(*arguments) as process, asyncio.timeout(HANGS_AFTER):
        out, err = await process.communicate(typed.encode())
        return process.returncode, out.decode(), err.decode()


async def shows(process: Process, wanted: str) -> str:
    """Read lines until one has what is wanted; return it."""
    assert process.stdout is not None
    while wanted not in (line := (await anext(process.stdout)).decode()):
        pass
    return line


CONTROL = re.compile(r"\x1b\[(?:[?0-9;]*[A-Za-ln-z]|0m)")
"""What moves the cursor, clears, or ends a colour."""


class Tty:
    """A terminal to type in and to look at; `streams` are for the process that runs in it."""

    def __init__(self, no_color: str = "") -> None:
        self._near, far = pty.openpty()
        self._sent = ""
        # Nobody here answers the question where the cursor is.
        env = {"TERM": "xterm", "NO_COLOR": no_color, "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.streams: dict[str, Any] = {
            **dict.fromkeys(("stdin", "stdout", "stderr"), far),
            "env": {**os.environ, **env},
        }

    @property
    def shown(self) -> str:
        """What it was sent, of all control sequences only those that begin a colour."""
        return CONTROL.sub("", self._sent)

    async def wait_for(self, pattern: str) -> None:
        """Wait until the screen has been sent something."""
        async with asyncio.timeout(HANGS_AFTER):
            while not re.search(pattern, self.shown):
                chunk = await asyncio.to_thread(os.read, self._near, 65_536)
                self._sent += chunk.decode()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._near, keys.encode())
