"""A server process of a system that is measured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.systems.system import NotHereError

STOP_TIMEOUT_SECONDS = 15.0


class Child:
    """A process and its output."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process
        self._said: list[str] = []
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def receive(self, words: str, within: float = 15) -> None:
        """Wait for a line of output.

        Raises:
            NotHereError: it does not.
        """
        try:
            async with asyncio.timeout(within):
                while not any(words in line for line in self._said):
                    if self._reading.done():
                        raise NotHereError(self._last_words("it ended"))
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise NotHereError(self._last_words(f"it did not say {words!r}")) from None

    async def stop(self) -> None:
        """Stop the process; kill it if it does not end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._reading.cancel()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._said.append(line.decode(errors="replace").rstrip("\n"))
            self._more.set()
        self._more.set()

    def _last_words(self, failure: str) -> str:
        return "; ".join([failure, *self._said[-5:]])


@asynccontextmanager
async def child(*command: str, env: Mapping[str, str], cwd: Path) -> AsyncIterator[Child]:
    """Run a process; leaving the context ends it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
    )
    running = Child(process)
    try:
        yield running
    finally:
        await running.stop()
