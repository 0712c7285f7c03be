"""One run: load, faults one after the other, quiet, and everything gathered for the checker."""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.faults import broker_faults, network_faults, process_faults, storage_faults
from tests.faults.arena import NO_PRELUDES, Arena, arena
from tests.faults.ending import end_quietly
from tests.faults.evidence import Evidence
from tests.faults.healing import heal
from tests.faults.history import now
from tests.faults.load import Pace, Person
from tests.faults.scale import Scale
from tests.faults.strike import FAULTS, Fault, LeftOut, Strike
from tests.support.process import ROOT

MODULES: Final = (process_faults, broker_faults, network_faults, storage_faults)
"""Importing them registers their faults."""

BETWEEN: Final = (0.2, 0.8)
"""Seconds of peace between two faults, at random."""

WARM_UP: Final = 2.0

Say = Callable[[str], None]

Play = Callable[[Arena], Awaitable[list[Strike]]]


def schedule(kinds: list[Fault], seed: int) -> Iterator[Fault]:
    """Each kind once in a random order, then kinds at random, short ones more often."""
    chosen = random.Random(seed)  # noqa: S311 - nothing secret about it
    first = list(kinds)
    chosen.shuffle(first)
    yield from first
    while True:
        yield chosen.choices(kinds, weights=[1 / kind.seconds for kind in kinds])[0]


async def run(
    scale: Scale, kinds: list[Fault], say: Say, *, data_dir: Path, root: Path = ROOT
) -> Evidence:
    """Run with random faults, and return the evidence."""

    def play(field: Arena) -> Awaitable[list[Strike]]:
        return _strike(field, kinds, now() + scale.seconds, say)

    return await perform(scale, play, say, data_dir=data_dir, root=root)


async def perform(
    scale: Scale,
    play: Play,
    say: Say,
    *,
    data_dir: Path,
    root: Path = ROOT,
    preludes: Mapping[str, str] = NO_PRELUDES,
) -> Evidence:
    """Run actions on a cluster under load, and return the evidence.

    The data folder is made afresh, and left for a look.

    Args:
        scale: how large everything is.
        play: what happens; returns the faults that struck.
        say: told what is waited for.
        data_dir: the data folder.
        root: the sources that run.
        preludes: as `arena` takes them.
    """
    shutil.rmtree(data_dir, ignore_errors=True)
    async with arena(scale, data_dir=data_dir, root=root, preludes=preludes) as field:
        begun = now()
        rest = asyncio.Event()
        pace = Pace(scale.sends, scale.clients)
        people = [Person(client, pace, f"{scale.seed} {client.user}") for client in field.clients]
        living = [asyncio.create_task(person.live(rest)) for person in people]
        await asyncio.sleep(WARM_UP)
        strikes = await play(field)
        rest.set()
        say("quiet: waiting until everything is stored and everybody has it")
        _, busy = await asyncio.wait(living, timeout=scale.patience)
        for task in busy:
            task.cancel()
        for task in living:
            if task.done() and not task.cancelled():
                task.result()  # a failure of the suite's own
        return await end_quietly(field, strikes, begun)


async def _strike(field: Arena, kinds: list[Fault], until: float, say: Say) -> list[Strike]:
    """Let faults strike one after the other until time is up."""
    strikes: list[Strike] = []
    for fault in schedule(kinds, field.scale.seed):
        if now() + fault.seconds > until:
            break
        strike = await struck(field, fault)
        strikes.append(strike)
        if not strike.left_out:
            say(line(len(strikes), fault, strike))
            await asyncio.sleep(field.random.uniform(*BETWEEN))
    return strikes


async def struck(field: Arena, fault: Fault) -> Strike:
    """Let a fault strike, and heal."""
    strike = Strike(fault.kind, destroys=fault.destroys)
    try:
        await fault.act(field, strike)
    except LeftOut as reason:
        strike.left_out = str(reason)
        return strike
    await heal(field, strike)
    if strike.afterwards:
        await strike.afterwards()
        strike.afterwards = None
    strike.hit = field.history.hit(strike.begun, strike.over)
    return strike


def line(number: int, fault: Fault, strike: Strike) -> str:
    """The line about a fault that struck."""
    took = strike.healed.get(fault.measure)
    after = "not healed" if took is None else f"{fault.measure} after {took:.2f} s"
    about = f" ({strike.target})" if strike.target else ""
    return f"{number:3}. {fault.kind}{about}: {strike.hit} in flight, {after}"


def kinds_of(scale: Scale) -> list[Fault]:
    """The kinds of faults of a run of this scale."""
    return [fault for fault in FAULTS.values() if scale.long or not fault.long]
