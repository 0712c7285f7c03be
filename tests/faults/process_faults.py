"""Faults of processes: killed, stopped, restarted, with another clock."""

import asyncio
import signal
from typing import Final

from tests.faults.arena import PATIENCE, Arena
from tests.faults.clocks import GATEWAY, NOTICED_AFTER, REDIS
from tests.faults.ghosts import Ghosts
from tests.faults.strike import LeftOut, Strike, fault

PAST_LEASE: Final = 4.0
"""Seconds; a persister's lease is 3."""

HOUR: Final = 3600


async def killed(arena: Arena, strike: Strike, name: str) -> None:
    """Kill -9 a process while something is in flight."""
    strike.target = name
    await arena.history.in_flight()
    strike.begin()
    old = arena.cluster.kill(name)
    strike.end()
    await arena.cluster.wait_restarted(name, old, PATIENCE)


async def paused(arena: Arena, strike: Strike, name: str, seconds: float) -> None:
    """Pause a process for a while."""
    strike.target = f"{name}, {seconds:g} s"
    await arena.history.in_flight()
    strike.begin()
    arena.cluster.kill(name, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        arena.cluster.kill(name, signal.SIGCONT)
    strike.end()


@fault("kill -9 a gateway", seconds=5)
async def _gateway_killed(arena: Arena, strike: Strike) -> None:
    name = arena.random.choice(arena.gateways)
    async with Ghosts(arena, name) as ghosts:
        await killed(arena, strike, name)
        arena.watching.append(asyncio.create_task(ghosts.fade(strike)))


@fault("kill -9 a persister", "durable", seconds=5)
async def _persister_killed(arena: Arena, strike: Strike) -> None:
    await killed(arena, strike, arena.random.choice(arena.persisters))


@fault("kill -9 Redis")
async def _redis_killed(arena: Arena, strike: Strike) -> None:
    await killed(arena, strike, "redis")
    await arena.broker_answers()
    strike.end()


@fault("kill -9 HAProxy", seconds=2)
async def _balancer_killed(arena: Arena, strike: Strike) -> None:
    await killed(arena, strike, "haproxy")


@fault("SIGSTOP Redis, 3 s", seconds=5)
async def _redis_paused(arena: Arena, strike: Strike) -> None:
    await paused(arena, strike, "redis", 3)


@fault("SIGSTOP Redis, 13 s", within=15, seconds=18, long=True)
async def _redis_paused_longer(arena: Arena, strike: Strike) -> None:
    await paused(arena, strike, "redis", 13)


@fault("SIGSTOP Redis, 40 s", within=15, seconds=45, long=True)
async def _redis_paused_for_long(arena: Arena, strike: Strike) -> None:
    await paused(arena, strike, "redis", 40)


@fault("a partition's owner paused past its lease", "durable", seconds=6)
async def _owner_paused(arena: Arena, strike: Strike) -> None:
    await paused(arena, strike, arena.random.choice(arena.persisters), PAST_LEASE)


@fault("rolling restart", seconds=16)
async def _rolling_restart(arena: Arena, strike: Strike) -> None:
    strike.target = "every gateway"
    await arena.history.in_flight()
    strike.begin()
    for name in arena.gateways:
        old = arena.cluster.kill(name, signal.SIGTERM)
        await arena.cluster.wait_restarted(name, old, PATIENCE)
        await arena.gateway_ready(name)
    strike.end()


async def clock_off(arena: Arena, strike: Strike, name: str) -> None:
    """Move a process's wall clock an hour, and back.

    Raises:
        LeftOut: there is no libfaketime.
    """
    if not arena.clocks.can_move:
        raise LeftOut("libfaketime is not installed")
    seconds = arena.random.choice((HOUR, -HOUR))
    strike.target = f"{name}, {seconds:+d} s"
    strike.begin()
    arena.clocks.move(name, seconds)
    await asyncio.sleep(NOTICED_AFTER)
    await arena.history.in_flight()
    arena.clocks.move(name, 0)
    await asyncio.sleep(NOTICED_AFTER)
    strike.end()


@fault("a gateway's clock an hour off", seconds=14)
async def _gateway_clock(arena: Arena, strike: Strike) -> None:
    if not arena.clocks.can_move:
        raise LeftOut("libfaketime is not installed")

    async def start_again() -> None:
        old = arena.cluster.kill(GATEWAY, signal.SIGTERM)
        await arena.cluster.wait_restarted(GATEWAY, old, PATIENCE)
        await arena.gateway_ready(GATEWAY)

    arena.clocks.prepare(GATEWAY)
    await start_again()
    arena.clocks.forget(GATEWAY)
    await clock_off(arena, strike, GATEWAY)
    strike.afterwards = start_again


@fault("Redis's clock an hour off", seconds=4)
async def _redis_clock(arena: Arena, strike: Strike) -> None:
    await clock_off(arena, strike, REDIS)
