"""`make chaos-controls`: a check that the checker notices when a protection is gone.

Each control takes one protection out of a copy of the sources, runs a small cluster of it under
the faults that attack just that, and must find promises broken, for the reason it should. Exit
code 0 only if every control was caught.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.command_line import command_line
from tests.faults.checker import Violation, check, in_words
from tests.faults.run import run
from tests.faults.scale import Scale
from tests.faults.sources import Change, changed_sources
from tests.faults.strike import FAULTS
from tests.faults.views import CHECKS


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


PUBLISH: Final = "shared/broker/scripts/publish.lua"
PRELUDE: Final = "shared/broker/scripts/prelude.lua"
LOCAL_ROOM: Final = "gateway/rooms/local_room.py"
UNSYNCED: Final = "not self.synced.done()"

CONTROLS: Final = (
    Control(
        "AOF off",
        (Change("deploy/servers/discovery.py", '"appendonly": "yes"', '"appendonly": "no"'),),
        ("kill -9 Redis",),
        frozenset({"lost"}),
    ),
    Control(
        "MAXLEN on the stream",
        (Change(PRELUDE, "'XADD', stream, counter,", "'XADD', stream, 'MAXLEN', 5, counter,"),),
        ("SQL locked, 5 s", "kill -9 a persister"),
        frozenset({"lost"}),
    ),
    Control(
        "de-duplication off",
        (Change(PUBLISH, "fresh[name] or known_now[send] or known_before[send]", "false"),),
        ("the reply lost after the script ran",),
        frozenset({"twice"}),
    ),
    Control(
        "gap healing off",
        (
            Change(LOCAL_ROOM, "not self.synced.done() or event.prev > self.head:", UNSYNCED + ":"),
            Change(LOCAL_ROOM, "is None and not self._closed:", f"is None and {UNSYNCED}:"),
        ),
        ("CLIENT KILL of pub/sub",),
        frozenset({"missing"}),
    ),
    Control(
        "the fence off",
        (Change(PRELUDE, "'master_replid:' .. replid .. '\\r'", "'master_replid:'"),),
        ("an older AOF restored",),
        frozenset({"reused", "lost"}),
    ),
)


def is_caught(control: Control, violations: list[Violation]) -> bool:
    """True if violations show that this protection is missing."""
    return any(violation.kind in control.reasons for violation in violations)


async def try_control(control: Control, seed: int, folder: Path) -> list[Violation]:
    """Run without the protection; return the violations."""
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


SETTINGS: Final = "CHAOS_SEED and CHAOS_DIR are environment variables, as for tests.faults."


def main() -> int:
    """Try every control; return the exit code."""
    command_line("tests.faults.controls", __doc__, SETTINGS).parse_args()
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
