"""Faults of the database: locked against writing, and away altogether."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.arena import Arena
from tests.faults.strike import Strike, fault
from tests.support.process import ROOT
from tests.support.storage import Database


@asynccontextmanager
async def away(database: Path) -> AsyncIterator[None]:
    """Make the database unavailable for reading and writing."""
    # A process of its own: its locks would end when this one closes any file of the database.
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.sql_lock", str(database)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    try:
        await holder.stdout.readline()
        yield
    finally:
        holder.stdin.close()
        await holder.wait()


async def _locked(arena: Arena, strike: Strike, seconds: float) -> None:
    strike.target = f"{seconds:g} s"
    await arena.history.in_flight()
    strike.begin()
    async with Database(arena.cluster.database).locked():
        await asyncio.sleep(seconds)
    strike.end()


async def _away(arena: Arena, strike: Strike, seconds: float) -> None:
    strike.target = f"{seconds:g} s"
    await arena.history.in_flight()
    strike.begin()
    async with away(arena.cluster.database):
        await asyncio.sleep(seconds)
    strike.end()


@fault("SQL locked, 5 s", "durable", seconds=7)
async def _locked_briefly(arena: Arena, strike: Strike) -> None:
    await _locked(arena, strike, 5)


@fault("SQL locked, 30 s", "durable", within=15, seconds=35, long=True)
async def _locked_for_long(arena: Arena, strike: Strike) -> None:
    await _locked(arena, strike, 30)


@fault("SQL away, 5 s", "durable", seconds=7)
async def _away_briefly(arena: Arena, strike: Strike) -> None:
    await _away(arena, strike, 5)


@fault("SQL away, 30 s", "durable", within=15, seconds=35, long=True)
async def _away_for_long(arena: Arena, strike: Strike) -> None:
    await _away(arena, strike, 30)
