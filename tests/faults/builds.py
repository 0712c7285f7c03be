"""Builds side by side: which one each process of a cluster runs, and how one is replaced."""

import asyncio
import shlex
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.faults.arena import PATIENCE, Arena
from tests.faults.strike import Fault, Measure, Strike
from tests.support.stored import rows
from tests.support.waiting import eventually

SECONDS: Final = 6.0
"""About how long it takes to replace a process, healing included."""


class WentWrong(AssertionError):
    """A step did not go as it must; the text says how."""


@dataclass(frozen=True)
class Build:
    """Sources that processes can run.

    Attributes:
        name: in words.
        root: the folder they are in.
        newest: the newest format that they read.
        settings: of processes that run them, on top.
    """

    name: str
    root: Path
    newest: int
    settings: dict[str, str] = field(default_factory=dict)

    def given(self, **settings: str) -> "Build":
        """The same with settings on top."""
        words = [f"{key}={value}" for key, value in settings.items()]
        return replace(self, name=f"{self.name} with {', '.join(words)}", settings=settings)


class Builds:
    """The build that each process of a cluster is started from.

    Attributes:
        preludes: a file of shell commands for each process, as `launcher.py` takes them.
    """

    def __init__(self, folder: Path, names: Iterable[str], build: Build) -> None:
        """Let every process be started from one build.

        Args:
            folder: where the files are to be.
            names: of the processes.
            build: the build that they are started from first.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.preludes = {name: str(folder / f"build-of-{name}") for name in names}
        for name in self.preludes:
            self.choose(name, build)

    def choose(self, name: str, build: Build) -> None:
        """Let a process be started from a build from its next start on."""
        lines = [f"cd {shlex.quote(str(build.root))}"]
        lines += [f"export {key}={shlex.quote(value)}" for key, value in build.settings.items()]
        Path(self.preludes[name]).write_text("".join(f"{line}\n" for line in lines))

    def replacement(self, name: str, build: Build) -> Fault:
        """A context that stops a process in order and starts it from another build."""

        async def act(arena: Arena, strike: Strike) -> None:
            self.choose(name, build)
            strike.target = name
            before = await announced(arena, name)
            await arena.history.in_flight()
            strike.begin()
            old = arena.cluster.kill(name, signal.SIGTERM)
            await arena.cluster.wait_restarted(name, old, PATIENCE)

            async def runs() -> bool:
                now = await announced(arena, name)
                return build.newest in [now[who] for who in now.keys() - before.keys()]

            await eventually(runs, PATIENCE)
            if name in arena.gateways:
                await arena.gateway_ready(name)
            strike.end()

        measure: Measure = "durable" if name.startswith("persister") else "delivered"
        kind = f"replaced by {build.name}"
        return Fault(kind, act, measure, 5, destroys=False, seconds=SECONDS, long=False)


async def formats_of(arena: Arena) -> dict[int, int]:
    """The format of each partition in SQL, by number."""
    query = "SELECT number, format FROM partitions"
    return dict(await asyncio.to_thread(rows, arena.cluster.database, query))


async def announced(arena: Arena, name: str) -> dict[bytes, int]:
    """The newest format that each process announced, by incarnation."""
    keys = await arena.keys()
    found: dict[bytes, bytes] = await arena.command("HGETALL", keys[0].members)
    return {
        who: int(word.split()[2])
        for who, word in found.items()
        if who.decode().rpartition("-")[0] == name
    }
