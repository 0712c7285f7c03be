"""A program in a terminal, as a reader of a guide starts it."""

import asyncio
import codecs
import contextlib
import os
import pty
import re
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.waiting import HANGS_AFTER

CONTROL = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]|\r")
"""What moves the cursor, clears, or colours."""


class Terminal:
    """A terminal, and the process that runs in it with all that it starts.

    Args:
        words: The command.
        cwd: The folder to run it in.
        env: Its environment.
    """

    def __init__(self, words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._words = words
        self._cwd = cwd
        self._env = env
        self._near = -1
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._sent = ""
        self._changed = asyncio.Event()
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the command and return at once."""
        self._near, far = pty.openpty()
        os.set_blocking(self._near, False)
        self._process = await asyncio.create_subprocess_exec(
            *self._words,
            cwd=self._cwd,
            env=self._env,
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,  # so that its children end with it
        )
        os.close(far)
        asyncio.get_running_loop().add_reader(self._near, self._read)
        self._watching = asyncio.create_task(self._watch(self._process))

    @property
    def shown(self) -> str:
        """All that it was sent, without control sequences."""
        return CONTROL.sub("", self._sent)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._near, keys.encode())

    async def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it shows something, and return that; it may not end before."""
        found = await self._until(pattern)
        assert found is not None, self._report(f"ended without {pattern!r}")
        return found

    async def ready_or_ended(self, pattern: str) -> bool:
        """Wait until it shows that it is ready, or ends well; return whether it still runs."""
        if await self._until(pattern):
            return True
        assert self._process is not None
        assert self._process.returncode == 0, self._report("failed")
        return False

    async def stop(self) -> None:
        """Close it, which ends what runs in it; kill what does not end then."""
        if self._process is None or self._watching is None:
            return
        for number in (signal.SIGHUP, signal.SIGKILL):
            if not self._watching.done():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                await asyncio.wait([self._watching], timeout=HANGS_AFTER / 4)
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)

    async def _until(self, pattern: str) -> re.Match[str] | None:
        """Wait for a pattern; None if the process ends without it."""
        assert self._watching is not None
        try:
            async with asyncio.timeout(2 * HANGS_AFTER):
                while not (found := re.search(pattern, self.shown, re.MULTILINE)):
                    if self._watching.done():
                        return None
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise AssertionError(self._report(f"did not show {pattern!r}")) from error
        return found

    async def _watch(self, process: Process) -> None:
        await process.wait()
        self._read()
        self._changed.set()

    def _read(self) -> None:
        try:
            while chunk := os.read(self._near, 65_536):
                self._sent += self._decoder.decode(chunk)
        except BlockingIOError:
            pass
        except OSError:  # nobody has the other end any more
            asyncio.get_running_loop().remove_reader(self._near)
        self._changed.set()

    def _report(self, failure: str) -> str:
        return f"{' '.join(self._words)}\n{failure}; it showed:\n{self.shown[-4000:]}"
