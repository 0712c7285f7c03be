"""Small disks for tests that fill them: `async with SmallDisk(16) as disk: ...`."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from tests.support.process import ROOT
from tests.support.suites import NOT_ALLOWED_HERE

MOUNT: Final = """
set -e
for folder in "$@"; do mount -t tmpfs -o "size=$SIZE" tmpfs "$folder"; done
echo mounted
exec cat
"""


class SmallDisk:
    """File systems in memory with little space, which only processes of this test see.

    They are mounted in a mount namespace of their own: as root directly, else as the root of a user
    namespace. A test is skipped, with the reason, where neither is allowed.

    Args:
        mebibytes: the size of each.
        count: how many there are.
    """

    def __init__(self, mebibytes: int, count: int = 1) -> None:
        self._size = f"{mebibytes}m"
        self._folder = tempfile.TemporaryDirectory(prefix="parley-disk-")
        self._paths = [Path(self._folder.name) / f"disk-{n + 1}" for n in range(count)]
        self._holder: asyncio.subprocess.Process | None = None

    @property
    def launcher(self) -> tuple[str, ...]:
        """Words in front of a command that is to see the disks."""
        assert self._holder is not None
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return ("nsenter", f"--target={self._holder.pid}", "--mount", f"--wd={ROOT}", *user, "--")

    def path(self, number: int = 1) -> Path:
        """Return the path of a disk for processes started by `launcher`."""
        return self._paths[number - 1]

    def seen(self, number: int = 1) -> Path:
        """Return the path of a disk for this process."""
        assert self._holder is not None
        return Path(f"/proc/{self._holder.pid}/root{self.path(number)}")

    def fill(self, number: int = 1) -> None:
        """Take all space that is left."""
        with contextlib.suppress(OSError), self._ballast(number).open("ab", buffering=0) as file:
            while True:
                file.write(bytes(65_536))

    def free(self, number: int = 1) -> None:
        """Give back the space that `fill` took."""
        self._ballast(number).unlink()

    def free_bytes(self, number: int = 1) -> int:
        """The space that is left."""
        found = os.statvfs(self.seen(number))
        return found.f_bavail * found.f_frsize

    async def __aenter__(self) -> Self:
        for path in self._paths:
            path.mkdir()
        root = () if os.geteuid() == 0 else ("--map-root-user",)
        words = ("unshare", *root, "--mount", "sh", "-c", MOUNT, "sh", *map(str, self._paths))
        try:
            self._holder = holder = await asyncio.create_subprocess_exec(
                *words,
                env={**os.environ, "SIZE": self._size},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError:
            self._folder.cleanup()
            pytest.skip(f"{NOT_ALLOWED_HERE}: there is no unshare, which only Linux has")
        assert holder.stdout is not None
        assert holder.stderr is not None
        if await holder.stdout.readline() != b"mounted\n":
            reason = (await holder.stderr.read()).decode().strip()
            self._folder.cleanup()
            pytest.skip(f"{NOT_ALLOWED_HERE}: no file system can be mounted ({reason})")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The file systems end with the last process that sees them.
        assert self._holder is not None
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        await self._holder.wait()
        self._folder.cleanup()

    def _ballast(self, number: int) -> Path:
        return self.seen(number) / "ballast"
