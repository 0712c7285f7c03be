"""A process of the older build that starts while a partition is opened in a newer format."""

import asyncio

from shared.broker.partitions.members import Membership
from shared.broker.transport.pipe import Pipe
from shared.config import ConfigError, incarnation
from shared.storage.tables import SCHEMA
from tests.faults.arena import PATIENCE, Arena
from tests.faults.broker_faults import script_sha
from tests.faults.builds import Build, WentWrong, formats_of
from tests.support.waiting import eventually


async def come_late(arena: Arena, older: Build, newer: Build) -> None:
    """Announce it after an owner chose a newer format, and before the partition opens.

    Whoever was counted reads every partition until it leaves. This runs until the partition is
    open again, in the older format.

    Raises:
        WentWrong: a partition was opened in the newer format all the same, or none was to be.
    """
    proxies = [arena.proxies[name] for name in arena.persisters]
    opening = await asyncio.to_thread(script_sha, newer.root, "open_partition")
    pipe = Pipe(arena.cluster.redis_url)
    late = Membership(pipe, await arena.keys(), incarnation("late"), "gateway", schema=SCHEMA)

    async def all_in_the_older() -> bool:
        await late.announce()
        return set((await formats_of(arena)).values()) == {older.newest}

    try:
        for proxy in proxies:
            proxy.hold_before(opening)
        async with asyncio.timeout(PATIENCE):
            await _any([proxy.reached for proxy in proxies])
        await late.announce()
        if newer.newest not in (await formats_of(arena)).values():
            raise WentWrong("no partition was to be opened in the newer format")
        for proxy in proxies:
            proxy.let_go()
        await eventually(all_in_the_older, PATIENCE)
        await late.leave()
    except ConfigError as error:
        raise WentWrong(f"of a process that was counted: {error}") from None
    finally:
        for proxy in proxies:
            proxy.let_go()
        pipe.close()


async def _any(events: list[asyncio.Event]) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
