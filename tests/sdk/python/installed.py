"""The built Python client, and environments in which nothing but it is installed."""

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import ROOT
from tests.support.waiting import HANGS_AFTER

UV = Path(sys.executable).with_name("uv")
EXAMPLES = ROOT / "examples"


def call(*words: str | Path, cwd: Path, ends: int = 0) -> str:
    """Run a program to its end; return what it printed.

    Raises:
        AssertionError: its exit code is not `ends`; the text is what it printed.
    """
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=clean_environ(),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stdout
    return done.stdout


def clean_environ() -> dict[str, str]:
    """This process's environment, without what could lead to the sources of the repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@dataclass(frozen=True)
class Built:
    """The files that a release consists of."""

    wheel: Path
    sdist: Path


def build(folder: Path) -> Built:
    """Build the client: the sdist from the repository, and the wheel from the sdist alone."""
    tool = (sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    call(*tool, ROOT / "clients" / "python", cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the repository, and an empty folder beside it.

    Attributes:
        bin: the folder of its programs.
        cwd: the empty folder, in which programs run.
    """

    bin: Path
    cwd: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.bin / "python"

    @asynccontextmanager
    async def running(
        self,
        program: str,
        *arguments: str,
        **streams: Any,  # noqa: ANN401 - of subprocess
    ) -> AsyncIterator[Process]:
        """Run one of its programs in the empty folder, and end it at last."""
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), PIPE)
        process = await asyncio.create_subprocess_exec(
            *(str(self.bin / program), *arguments),
            cwd=self.cwd,
            **(pipes | {"env": clean_environ()} | streams),
        )
        try:
            async with asyncio.timeout(HANGS_AFTER):
                yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def run(
        self, program: str, *arguments: str, typed: str = ""
    ) -> tuple[int | None, str, str]:
        """Run a program to its end; return its exit code, what it printed, and its errors."""
        async with self.running(program, *arguments) as process:
            out, err = await process.communicate(typed.encode())
            return process.returncode, out.decode(), err.decode()


def install(built: Built, folder: Path, *, extra: str = "", lowest: bool = False) -> Environment:
    """Make an environment with the wheel in it.

    Args:
        built: What to install.
        folder: An empty one.
        extra: `[terminal]`, or nothing.
        lowest: Whether to take the lowest versions that the wheel says it works with, not those
            that the repository pins.
    """
    environment = Environment(folder / "venv" / "bin", folder / "empty")
    environment.cwd.mkdir()
    call(UV, "venv", "-q", "--python", sys.executable, folder / "venv", cwd=folder)
    pins = ("--resolution", "lowest-direct") if lowest else ("-c", ROOT / "requirements/dev.txt")
    target = f"parley-chat{extra} @ {built.wheel.as_uri()}"
    call(UV, "pip", "install", "-q", "--python", environment.python, *pins, target, cwd=folder)
    return environment
