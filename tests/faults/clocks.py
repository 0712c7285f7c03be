"""Wall clocks that can be moved, by libfaketime, where it is installed."""

from pathlib import Path
from typing import Final

GATEWAY: Final = "gateway-1"
REDIS: Final = "redis"

LIBRARIES: Final = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)

NOTICED_AFTER: Final = 1.2
"""Seconds until a process has seen that its clock was moved."""


class Clocks:
    """The wall clocks of one gateway and of Redis; monotonic clocks stay as they are.

    A gateway under libfaketime takes three times the CPU, so it runs under it only between
    `prepare` and `forget`, each of which holds from its next start on.

    Attributes:
        can_move: whether libfaketime is there.
        preludes: a file of shell commands for each process, read before it starts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = find_library()
        self.can_move = self._library is not None
        self.preludes = {name: str(folder / f"prelude-of-{name}") for name in (GATEWAY, REDIS)}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget(GATEWAY)
        self.prepare(REDIS)

    def prepare(self, name: str) -> None:
        """Let a process be started with a clock that can be moved."""
        self.move(name, 0)
        variables = {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": self._file(name),
            "FAKETIME_CACHE_DURATION": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
            "DONT_FAKE_MONOTONIC": 1,
        }
        lines = [f"export {name}='{value}'\n" for name, value in variables.items()]
        Path(self.preludes[name]).write_text("".join(lines) if self._library else "")

    def forget(self, name: str) -> None:
        """Start a process with the true time from now on."""
        Path(self.preludes[name]).write_text("")

    def move(self, name: str, seconds: int) -> None:
        """Set a process's wall clock to an offset from the true time."""
        fresh = self._file(name).with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self._folder / f"clock-of-{name}"


def find_library() -> str | None:
    """The path of libfaketime, or None."""
    for pattern in LIBRARIES:
        if found := sorted(Path("/").glob(pattern.removeprefix("/"))):
            return str(found[0])
    return None
