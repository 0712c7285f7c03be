"""`make chaos-controls`: does the checker notice when a protection is gone?

Each control takes one protection out of a copy of the sources, runs a small cluster of it under
the faults that attack just that, and must find promises broken, for the reason it should. Exit
code 0 only if every control was caught.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.checker import Violation, check, in_words
from tests.faults.run import run
from tests.faults.scale import Scale
from tests.faults.strike import FAULTS
from tests.faults.views import CHECKS
from tests.support.process import ROOT

PACKAGES: Final = ("shared", "gateway", "persister", "deploy", "tests")


class Change(tuple[str, str, str]):
    """A file, a text that stands in it exactly once, and what stands there instead."""

    __slots__ = ()

    def apply(self, root: Path) -> None:
        """Make the change.

        Raises:
            ValueError: the text is not there once: the control has to be written anew.
        """
        name, old, new = self
        text = (root / name).read_text()
        if text.count(old) != 1:
            raise ValueError(f"{name} holds {old!r} {text.count(old)} times: mend this control")
        (root / name).write_text(text.replace(old, new))


@dataclass(frozen=True)
class Control:
    """One protection removed.

    Attributes:
        changes: what removes it.
        faults: the kinds that attack it.
        reasons: kinds of violations, one of which must be found.
    """

    name: str
    changes: tuple[Change, ...]
    faults: tuple[str, ...]
    reasons: frozenset[str]


SCRIPTS: Final = "shared/broker/scripts"

CONTROLS: Final = (
    Control(
        "AOF off",
        (Change(("deploy/servers.py", '"appendonly": "yes"', '"appendonly": "no"')),),
        ("kill -9 Redis",),
        frozenset({"lost"}),
    ),
    Control(
        "MAXLEN on the stream",
        (
            Change(
                (
                    f"{SCRIPTS}/publish.lua",
                    "redis.call('XADD', KEYS[2], int(counter) .. '-0', 'e', event, 'r'",
                    "redis.call('XADD', KEYS[2], 'MAXLEN', 5, int(counter) .. '-0',"
                    " 'e', event, 'r'",
                )
            ),
        ),
        ("SQL locked, 5 s", "kill -9 a persister"),
        frozenset({"lost"}),
    ),
    Control(
        "de-duplication off",
        (
            Change(
                (
                    f"{SCRIPTS}/publish.lua",
                    "local known = redis.call('GET', once)",
                    "local known = false",
                )
            ),
        ),
        ("the reply lost after the script ran",),
        frozenset({"twice"}),
    ),
    Control(
        "gap healing off",
        (
            Change(
                (
                    "gateway/local_room.py",
                    "elif not self.synced.done() or event.prev > self.head:",
                    "elif not self.synced.done():",
                )
            ),
            Change(
                (
                    "gateway/local_room.py",
                    "if self._catching_up is None and not self._closed:",
                    "if self._catching_up is None and not (self._closed or self.synced.done()):",
                )
            ),
        ),
        ("CLIENT KILL of pub/sub",),
        frozenset({"view"}),
    ),
    Control(
        "the fence off",
        (
            Change(
                (
                    f"{SCRIPTS}/prelude.lua",
                    "if replid ~= record[2] then return nil end",
                    "",
                )
            ),
        ),
        ("an older AOF restored",),
        frozenset({"reused", "lost"}),
    ),
)


@contextmanager
def changed_sources(changes: tuple[Change, ...]) -> Iterator[Path]:
    """A copy of the sources with changes, for as long as the body runs."""
    with tempfile.TemporaryDirectory(prefix="parley-control-") as folder:
        root = Path(folder)
        for package in PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, root / package, ignore=ignored)
        for change in changes:
            change.apply(root)
        yield root


def is_caught(control: Control, violations: list[Violation]) -> bool:
    """Whether violations say that just this protection is missing."""
    return any(violation.kind in control.reasons for violation in violations)


async def try_control(control: Control, seed: int, folder: Path) -> list[Violation]:
    """Run without the protection; what was violated."""
    scale = Scale(
        seed=seed,
        seconds=SECONDS,
        gateways=2,
        persisters=1,
        rooms=6,
        chats=6,
        clients=20,
        sends=120,
        patience=PATIENCE,
    )
    kinds = [FAULTS[kind] for kind in control.faults]
    with changed_sources(control.changes) as root:
        evidence = await run(scale, kinds, _say, data_dir=folder / "control", root=root)
    if evidence.history.failures:
        raise ExceptionGroup("the suite itself failed", evidence.history.failures)
    return check(evidence, CHECKS)


SECONDS: Final = 16.0
"""For the faults of one control."""

PATIENCE: Final = 8.0
"""What is broken does not heal: it need not be waited for."""


def main() -> int:
    """Try every control; return the exit code."""
    folder = Path(os.environ.get("CHAOS_DIR") or ".chaos").absolute()
    seed = int(os.environ.get("CHAOS_SEED") or 1)
    missed = []
    for control in CONTROLS:
        print(f"\n{control.name}: {', '.join(control.faults)}", flush=True)
        begun = time.monotonic()
        violations = asyncio.run(try_control(control, seed, folder))
        caught = is_caught(control, violations)
        for line in in_words(violations):
            print(f"  {line}")
        took = time.monotonic() - begun
        print(f"{control.name}: {'caught' if caught else 'NOT CAUGHT'} in {took:.0f} s", flush=True)
        missed += [] if caught else [control.name]
    print(f"\n{len(CONTROLS) - len(missed)} of {len(CONTROLS)} controls caught")
    for name in missed:
        print(f"not caught: {name}")
    return 1 if missed else 0


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
