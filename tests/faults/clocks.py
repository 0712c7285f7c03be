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

    Attributes:
        environs: what the processes need in their environment, by name; empty where libfaketime
            is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environs: dict[str, dict[str, str]] = {}
        if library := find_library():
            folder.mkdir(parents=True, exist_ok=True)
            for name in (GATEWAY, REDIS):
                self.move(name, 0)
                self.environs[name] = {
                    "LD_PRELOAD": library,
                    "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
                    "FAKETIME_CACHE_DURATION": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "DONT_FAKE_MONOTONIC": "1",
                }

    @property
    def can_move(self) -> bool:
        """Whether libfaketime is there."""
        return bool(self.environs)

    def move(self, name: str, seconds: int) -> None:
        """Let a process's wall clock be so much off the true time."""
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
