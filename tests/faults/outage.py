"""A broker that is away for longer than the announcements of processes last."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.faults.arena import PATIENCE, Arena
from tests.faults.clocks import REDIS
from tests.faults.strike import Fault, Strike

OUTAGE_SECONDS: Final = 17
"""Seconds; who is silent for 15 is forgotten."""


@contextmanager
def late(prelude: Path) -> Iterator[None]:
    """Let a process start late, after its death within the block."""
    usual = prelude.read_text()
    prelude.write_text(f"sleep {OUTAGE_SECONDS}\n{usual}")
    try:
        yield
    finally:
        prelude.write_text(usual)


async def _away(arena: Arena, strike: Strike) -> None:
    with late(Path(arena.clocks.preludes[REDIS])):
        await arena.history.in_flight()
        strike.begin()
        old = arena.cluster.kill(REDIS)
        await arena.cluster.wait_restarted(REDIS, old, PATIENCE)
        await arena.broker_answers()
    strike.end()


OUTAGE: Final = Fault(
    f"Redis away for {OUTAGE_SECONDS} s",
    _away,
    "delivered",
    15,
    destroys=False,
    seconds=25,
    long=True,
)
