"""Storms: many clients connect at once, for the first time or after a lost connection."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from tests.bench.load.client import Client
from tests.bench.load.crowd import Crowd, in_parallel
from tests.bench.load.measuring import Meter
from tests.bench.load.rate import offer, percentiles
from tests.bench.plan import Job

AT_ONCE = 200
"""Clients under way at a time."""

MISSED = 20
"""Messages in each room while half of its members are away."""

MEANWHILE = 50.0
"""Messages a second over all rooms while they come back."""

QUIET_SECONDS = 1.0
"""Seconds until what a join leaves behind is done, before its CPU is read."""


async def connect_storm(job: Job) -> dict[str, object]:
    """Measure how long clients need into their rooms when all come at once."""
    crowd = Crowd(job)
    first = [crowd.clients_of(room)[0] for room in crowd.rooms]
    await crowd.connect(first)
    for client in first:
        await client.create(client.room.name)
        await client.join()
    others = [client for client in crowd.clients if client not in set(first)]
    meter = Meter(job.processes)

    async def come(client: Client) -> None:
        await crowd.connect([client])
        await client.join()

    result = await storm(others, come)
    await asyncio.sleep(QUIET_SECONDS)
    result |= meter.per(len(others))
    await prove(crowd)
    return {**result, **crowd.disorder}


async def reconnect_storm(job: Job) -> dict[str, object]:
    """Measure how long clients need to have all they missed when half of all come back at once."""
    crowd = Crowd(job)
    await crowd.gather()
    await prove(crowd)
    away = [client for room in crowd.rooms for client in crowd.clients_of(room)[1::2]]
    for client in away:
        client.close()
    for client in away:
        await client.lost
    for room in crowd.rooms:
        for _ in range(MISSED):
            room.post()
    await asyncio.sleep(QUIET_SECONDS)
    meter = Meter(job.processes)

    async def come_back(client: Client) -> None:
        client.lost = asyncio.get_running_loop().create_future()
        goal = len(client.room.texts)
        await crowd.connect([client])
        await client.resume()
        while client.next < goal:  # noqa: ASYNC110  deliveries are counted in the hot path only
            await asyncio.sleep(0.001)

    talk = asyncio.create_task(offer(crowd, MEANWHILE, 3600))
    result = await storm(away, come_back)
    talk.cancel()
    await asyncio.sleep(QUIET_SECONDS)
    result |= meter.per(len(away))
    await prove(crowd)
    return {**result, **crowd.disorder}


async def storm(
    clients: Sequence[Client], work: Callable[[Client], Awaitable[None]]
) -> dict[str, object]:
    """Let all clients do something, many at a time; return the time of each, and of all."""
    took = array("d")
    started = perf_counter()

    async def timed(client: Client) -> None:
        began = perf_counter()
        await work(client)
        took.append(perf_counter() - began)

    await in_parallel(clients, timed, AT_ONCE)
    everybody = perf_counter() - started
    return {
        **percentiles("", took),
        "seconds": everybody,
        "clients": len(clients),
        "clients_per_second": len(clients) / everybody,
    }


async def prove(crowd: Crowd) -> None:
    """Check that every client gets a new message, and has all earlier ones."""
    for room in crowd.rooms:
        room.post()
    await crowd.settle()
