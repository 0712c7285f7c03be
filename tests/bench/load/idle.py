"""The cost of accepting a connection, and of an idle one."""

import asyncio
import os
import signal
from time import perf_counter

from tests.bench import processes
from tests.bench.load.crowd import Crowd, in_parallel, say
from tests.bench.load.measuring import Meter
from tests.bench.plan import Job

FIRST = 100
"""Connections that come and go before anything is counted: what is made once is made."""

QUIET = 2.0
"""Seconds a system gets to come to rest; less where the whole measurement is short."""


async def idle(job: Job) -> dict[str, object]:
    """Measure CPU for taking connections in, then memory and CPU of having them."""
    first = Crowd(job)
    first.add_room(FIRST)
    await first.connect(first.clients)
    for client in first.clients:
        client.close()
    await _rest(job)
    before = processes.resident_by_role(job.processes)
    crowd = Crowd(job)
    crowd.add_room(job.scenario.connections)
    intake = Meter(job.processes)
    started = perf_counter()
    await in_parallel(crowd.clients, lambda client: crowd.connect([client]))
    took = perf_counter() - started
    await asyncio.sleep(_quiet(job))
    count = len(crowd.clients)
    taken_in = intake.per(count)
    await _rest(job)
    added = processes.less(processes.resident_by_role(job.processes), before)
    say(f"  {count} connections in {took:.1f} s, now idle for {job.scenario.seconds:g} s")
    having = Meter(job.processes)
    await asyncio.sleep(job.scenario.seconds)
    crowd.check()
    return {
        "intake_cpu_us": taken_in["cpu_us"],
        "intake_per_second": count / took,
        "idle_kib": {role: size / 1024 / count for role, size in added.items()},
        "idle_cpu_us_per_second": having.per(count * job.scenario.seconds)["cpu_us"],
        "connections": count,
    }


async def _rest(job: Job) -> None:
    """Let the system come to rest, with a garbage collection where it can be requested."""
    await asyncio.sleep(_quiet(job))
    for pid in job.processes.get("node", ()):
        os.kill(pid, signal.SIGUSR2)
    await asyncio.sleep(_quiet(job))


def _quiet(job: Job) -> float:
    return min(QUIET, job.scenario.seconds)
