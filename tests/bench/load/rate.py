"""A fixed rate: messages at set times, and their latencies to all members."""

import asyncio
import random
from array import array
from collections.abc import Sequence
from time import perf_counter

from tests.bench.load.crowd import Crowd
from tests.bench.load.measuring import Meter
from tests.bench.plan import Job

WARM_UP = 2.0
MILLISECONDS = 1000
SEED = 7
"""Every system gets the same messages at the same times."""


async def at_rate(job: Job) -> dict[str, object]:
    """Measure latency and CPU of a load that a system can bear."""
    crowd = Crowd(job)
    await crowd.gather()
    await offer(crowd, job.scenario.rate, WARM_UP)
    await crowd.settle()
    for room in crowd.rooms:
        room.start_timing()
    meter = Meter(job.processes)
    had = crowd.deliveries
    started = perf_counter()
    await offer(crowd, job.scenario.rate, job.scenario.seconds)
    await crowd.delivered()
    took = perf_counter() - started
    await crowd.settle()
    deliveries = crowd.deliveries - had
    return {
        **meter.per(deliveries),
        **latencies(crowd),
        **crowd.disorder,
        "deliveries": deliveries,
        "per_second": deliveries / took,
    }


async def offer(crowd: Crowd, rate: float, seconds: float) -> None:
    """Post messages to rooms in turn, each somewhere in its own slice of time.

    Args:
        crowd: who posts.
        rate: messages a second over all rooms.
        seconds: how long.
    """
    chance = random.Random(SEED)  # noqa: S311  nothing secret about it
    started = perf_counter()
    for number in range(int(rate * seconds)):
        due = started + (number + chance.random()) / rate
        await asyncio.sleep(max(0, due - perf_counter()))
        crowd.rooms[number % len(crowd.rooms)].post()


def latencies(crowd: Crowd) -> dict[str, object]:
    """From sending to each member, and to the last member of each message, in milliseconds."""
    each = array("d")
    last = array("d")
    for room in crowd.rooms:
        each.extend(room.latencies or ())
        last.extend(room.last_latencies)
    return {**percentiles("", each), **percentiles("last_", last)}


def percentiles(prefix: str, seconds: Sequence[float]) -> dict[str, object]:
    """The median and the 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return {
        f"{prefix}p{percent}_ms": MILLISECONDS * ordered[len(ordered) * percent // 100]
        for percent in (50, 99)
        if ordered
    }
