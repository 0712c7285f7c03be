"""`make chaos-formats`: two builds side by side, under load and faults, both ways.

The newer build is made up (`newer_build.py`): it writes a format that the older one cannot read.
Processes of a running cluster are replaced one by one, by the newer build and back by the older
one. Exit code 0 only if, both ways, every partition was in a format that all could read at any
time, and no promise was broken.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from persister.ownership import ANNOUNCE_TIMEOUT_SECONDS
from shared.command_line import command_line
from shared.model.formats import refusal
from tests.faults.arena import PATIENCE, Arena
from tests.faults.builds import Build, Builds, WentWrong, formats_of
from tests.faults.checker import check, in_words
from tests.faults.evidence import Evidence
from tests.faults.latecomer import come_late
from tests.faults.newer_build import NEWER_BUILD, NEWER_FORMAT, OLDER_FORMAT
from tests.faults.outage import OUTAGE
from tests.faults.run import line, perform, struck
from tests.faults.scale import Scale
from tests.faults.sources import changed_sources
from tests.faults.strike import FAULTS, Fault, Strike
from tests.faults.views import CHECKS
from tests.support.ports import free_port
from tests.support.process import ROOT, run
from tests.support.waiting import eventually

POLL_INTERVAL_SECONDS: Final = 0.2
"""Seconds between two looks at the formats of all partitions."""

LONGER: Final = 3.0
"""Seconds within which a persister surely has looked at each of its partitions."""

BAD_SETTING: Final = 2

NOT_READ: Final = ("not understood", "entry set aside")
"""What processes log of what they cannot read."""


class Scene:
    """A cluster whose processes are replaced.

    Attributes:
        allowed: the formats that partitions may be in now.
        strikes: what was done so far.
    """

    def __init__(self, field: Arena, builds: Builds, first: int) -> None:
        self.field = field
        self.strikes: list[Strike] = []
        self.allowed = frozenset({first})
        self._builds = builds

    async def strike(self, *kinds: str | Fault) -> None:
        """Let faults strike."""
        for kind in kinds:
            await self._do(FAULTS[kind] if isinstance(kind, str) else kind)

    async def replace(self, names: list[str], build: Build) -> None:
        """Replace processes by a build, one after the other."""
        for name in names:
            await self._do(self._builds.replacement(name, build))

    async def watch(self) -> NoReturn:
        """Check continuously that every partition is in an allowed format.

        Raises:
            WentWrong: one is not.
        """
        while True:
            found = await formats_of(self.field)
            if not self.allowed.issuperset(found.values()):
                raise WentWrong(f"formats {found}, where {sorted(self.allowed)} may be")
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    async def all_go_to(self, number: int) -> None:
        """Wait until every partition is in a format; from then on it must stay so."""
        self.allowed |= {number}
        since = time.monotonic()

        async def gone() -> bool:
            return set((await formats_of(self.field)).values()) == {number}

        await eventually(gone, ANNOUNCE_TIMEOUT_SECONDS + PATIENCE)
        self.allowed = frozenset({number})
        say(f"every partition is in format {number} after {time.monotonic() - since:.1f} s")

    async def settle(self) -> None:
        """Wait until only a process that cannot read it prevents a newer format."""
        keys = await self.field.keys()

        async def settled() -> bool:
            seconds, _ = await self.field.command("TIME")
            opened = [
                int(await self.field.command("HGET", part.record, "opened"))
                for part in keys.partitions
            ]
            return bool(seconds - max(opened) / 1000 > ANNOUNCE_TIMEOUT_SECONDS + LONGER)

        await eventually(settled, ANNOUNCE_TIMEOUT_SECONDS + PATIENCE)
        formats = await formats_of(self.field)
        say(f"still, after {ANNOUNCE_TIMEOUT_SECONDS:g} s and more: formats {formats}")

    async def refuses(self, module: str) -> None:
        """A process of the older build does not start here.

        Raises:
            WentWrong: it does, or does not say why it does not.
        """
        cluster = self.field.cluster
        own = {
            "REDIS_URL": cluster.redis_url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{cluster.database}",
            "PORT": str(free_port()),
            "ADMIN_PORT": str(free_port()),
        }
        code, _, said = await run(module, env=own, within=PATIENCE)
        sentence = refusal(NEWER_FORMAT)
        if code != BAD_SETTING or sentence not in said.splitlines():
            raise WentWrong(f"the older {module} ended with exit code {code} and said {said!r}")
        say(f"the older {module} refuses: {sentence}")

    async def _do(self, fault: Fault) -> None:
        strike = await struck(self.field, fault)
        self.strikes.append(strike)
        say(line(len(self.strikes), fault, strike))


async def upwards(scene: Scene, older: Build, newer: Build) -> None:
    """All run the older build, and are replaced by the newer one: persisters first."""
    *gateways, last = scene.field.gateways
    await scene.all_go_to(older.newest)
    await scene.replace(scene.field.persisters, newer)
    await scene.strike("kill -9 a persister", "kill -9 Redis")
    await scene.replace(gateways, newer)
    await scene.strike("kill -9 a gateway")
    await scene.settle()
    await scene.strike(OUTAGE)
    scene.allowed |= {newer.newest}
    coming = asyncio.create_task(come_late(scene.field, older, newer))
    await scene.replace([last], newer)
    await coming
    say("a process of the older build that came as a partition was being opened kept it readable")
    await scene.all_go_to(newer.newest)
    await scene.strike("kill -9 Redis", "kill -9 a gateway", "kill -9 a persister")


async def downwards(scene: Scene, older: Build, newer: Build) -> None:
    """All run the newer build, and are replaced by the older one: gateways first."""
    await scene.all_go_to(newer.newest)
    await scene.strike("kill -9 a gateway")
    await scene.refuses("gateway")
    await scene.refuses("persister")
    scene.allowed |= {older.newest}
    await scene.replace(scene.field.persisters, newer.given(WRITE_FORMAT=str(older.newest)))
    await scene.all_go_to(older.newest)
    await scene.strike("kill -9 Redis", "kill -9 a persister")
    await scene.replace(scene.field.gateways, older)
    await scene.strike("kill -9 a gateway")
    await scene.replace(scene.field.persisters, older)
    await scene.strike("kill -9 Redis", "kill -9 a persister")


@dataclass(frozen=True)
class Order:
    """A way from one build to the other."""

    name: str
    first: int
    steps: Callable[[Scene, Build, Build], Coroutine[Any, Any, None]]


ORDERS: Final = (
    Order("from the older build to the newer one", OLDER_FORMAT, upwards),
    Order("from the newer build back to the older one", NEWER_FORMAT, downwards),
)


async def perform_order(order: Order, scale: Scale, folder: Path, root: Path) -> Evidence:
    """Replace all processes in this order; return the evidence.

    Args:
        order: the direction, from the older build to the newer one or back.
        scale: how large the cluster is.
        folder: where its data is left.
        root: the sources of the newer build.

    Raises:
        AssertionError: a step did not go as it must.
    """
    older = Build("the older build", ROOT, OLDER_FORMAT)
    newer = Build("the newer build", root, NEWER_FORMAT)
    names = [f"gateway-{n + 1}" for n in range(scale.gateways)]
    names += [f"persister-{n + 1}" for n in range(scale.persisters)]
    first = older if order.first == OLDER_FORMAT else newer
    builds = Builds(folder / "builds", names, first)

    async def play(field: Arena) -> list[Strike]:
        scene = Scene(field, builds, first.newest)
        steps = asyncio.create_task(order.steps(scene, older, newer))
        watching = asyncio.create_task(scene.watch())
        await asyncio.wait([steps, watching], return_when=asyncio.FIRST_COMPLETED)
        ended = watching if watching.done() else steps
        for task in (steps, watching):
            while not task.done():  # a cancellation in a call to the broker may be lost
                task.cancel()
                await asyncio.wait([task], timeout=0.1)
        await ended
        return scene.strikes

    where = folder / "cluster"
    return await perform(scale, play, say, data_dir=where, preludes=builds.preludes)


def not_read(folder: Path) -> Iterator[str]:
    """The log lines of a cluster's processes about data that they could not read."""
    for log in sorted(folder.glob("*.log")):
        for text in log.read_text(errors="replace").splitlines():
            if any(words in text for words in NOT_READ):
                yield f"{log.stem}: {text}"


def problems(order: Order, seed: int, folder: Path, root: Path) -> list[str]:
    """The problems of a run in this order; none if it passed."""
    scale = Scale(
        seed=seed,
        seconds=0,
        gateways=2,
        persisters=2,
        rooms=8,
        chats=8,
        clients=24,
        sends=60,
    )
    try:
        evidence = asyncio.run(perform_order(order, scale, folder, root))
    except AssertionError as error:
        return [f"{type(error).__name__}: {error}"]
    if evidence.history.failures:
        raise ExceptionGroup("the suite itself failed", evidence.history.failures)
    accepted = sum(1 for o in evidence.history.operations if o.kind == "send" and o.outcome == "ok")
    say(f"{accepted} sends accepted, {len(evidence.history.deliveries)} deliveries")
    violations = list(in_words(check(evidence, CHECKS)))
    return violations + list(not_read(folder / "cluster" / "log"))


SETTINGS: Final = "CHAOS_SEED and CHAOS_DIR are environment variables, as for tests.faults."


def main() -> int:
    """Run both orders; return the exit code."""
    command_line("tests.faults.formats", __doc__, SETTINGS).parse_args()
    folder = Path(os.environ.get("CHAOS_DIR") or ".chaos").absolute() / "formats"
    seed = int(os.environ.get("CHAOS_SEED") or 1)
    failed = []
    with changed_sources(NEWER_BUILD) as root:
        for number, order in enumerate(ORDERS, 1):
            print(f"\n{order.name}", flush=True)
            begun = time.monotonic()
            found = problems(order, seed, folder / str(number), root)
            for text in found:
                say(text)
            took = time.monotonic() - begun
            print(f"{order.name}: {'FAILED' if found else 'passed'} in {took:.0f} s", flush=True)
            failed += [order.name] if found else []
    print(f"\n{len(ORDERS) - len(failed)} of {len(ORDERS)} orders passed")
    return 1 if failed else 0


def say(text: str) -> None:
    """Print a line at once."""
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
