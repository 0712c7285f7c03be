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


class Tty:
    """A terminal to type in and to look at."""

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        self.shown = ""

    async def wait_for(self, pattern: str) -> None:
        """Wait until the screen has been sent something."""
        async with asyncio.timeout(HANGS_AFTER):
            while not re.search(pattern, self.shown):
                chunk = await asyncio.to_thread(os.read, self.near, 65_536)
                self.shown += chunk.decode()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.near, keys.encode())
