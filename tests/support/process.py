"""A process of the product for a test: `async with Process("persister", env) as persister: ...`."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.servers.balancer_program import SYSTEM_FOLDERS
from shared.config import Settings
from tests.support.orphans import end_with_parent
from tests.support.waiting import HANGS_AFTER, eventually

ROOT = Path(__file__).resolve().parents[2]
ABSENT = ROOT / "tests" / "support" / "absent"


def environ(given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting and without packages for tests, and `given`.

    Args:
        given: What stands in it on top.
    """
    known = set(Settings.__struct_encode_fields__)
    kept = {name: value for name, value in os.environ.items() if name not in known}
    path = os.pathsep.join(filter(None, (str(ABSENT), os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, **given}


def without_haproxy() -> str:
    """A PATH on which there is no HAProxy, so that the one of the wheel is taken."""
    folders = os.environ["PATH"].split(os.pathsep)
    kept = [each for each in folders if not (Path(each) / "haproxy").exists()]
    # Where a PATH has one of the system's folders of servers, the others are not looked into.
    empty = next(each for each in SYSTEM_FOLDERS if not (Path(each) / "haproxy").exists())
    return os.pathsep.join((*kept, empty))


async def run(
    *words: str, env: Mapping[str, str], within: float = HANGS_AFTER
) -> tuple[int, str, str]:
    """Run `python -m WORDS` to its end: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words),
        cwd=ROOT,
        env=environ(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        raise AssertionError(f"did not end: {err.decode()}") from None
    return process.returncode or 0, out.decode(), err.decode()


class ProcessError(Exception):
    """A process ended by itself while a test waited for what it does."""


class Process:
    """`python -m MODULE WORDS`, killed at the end if it still runs.

    Attributes:
        said: the lines of standard error so far.
    """

    def __init__(self, module: str, env: Mapping[str, str], *words: str) -> None:
        self.said: list[str] = []
        self._words = (module, *words)
        self._env = environ(env)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and return at once."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *self._words),
            cwd=ROOT,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=end_with_parent,
        )
        self._reading = asyncio.create_task(self._read(self._process))

    @property
    def ended(self) -> bool:
        """True if the process has ended by itself."""
        assert self._process is not None
        return self._process.returncode is not None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def wait(self, within: float = HANGS_AFTER) -> int:
        """Wait for the end of the process; return the exit code."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            raise AssertionError("\n".join(["it did not end:", *self.said[-20:]])) from None

    async def kill(self) -> None:
        """End it by SIGKILL."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def receive(self, words: str, within: float = HANGS_AFTER) -> str:
        """Wait for a line of standard error that holds `words`."""

        async def look() -> str:
            return next((line for line in self.said if words in line), "")

        return await eventually(look, within)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failed = self.ended and bool(self._process and self._process.returncode)
        await self.kill()
        if self._reading is not None:
            await self._reading
        if failed and isinstance(error, (AssertionError, TimeoutError)):
            # Not the assertion is the cause, as where a change of the sources broke the process.
            raise ProcessError("\n".join(self.said[-20:])) from error

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.said.append(line.decode(errors="replace").rstrip("\n"))
