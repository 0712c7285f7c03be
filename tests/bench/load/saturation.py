"""Saturation: each room always has a number of messages in flight."""

import asyncio
from time import perf_counter

from tests.bench.load.crowd import Crowd
from tests.bench.load.measuring import Meter
from tests.bench.load.room import Room
from tests.bench.plan import Job

WARM_UP = 1.0
"""Seconds of the same before anything is counted."""


class Windows:
    """A sender a room, with a bounded number of messages in flight."""

    def __init__(self, rooms: list[Room], window: int) -> None:
        self._rooms = rooms
        self._window = window
        self._open = False

    async def send_for(self, seconds: float) -> None:
        """Keep the windows full for some time."""
        self._open = True
        for room in self._rooms:
            room.on_complete = self._next
            for _ in range(self._window):
                room.post()
        await asyncio.sleep(seconds)
        self._open = False

    def _next(self, room: Room) -> None:
        if self._open:
            room.post()


async def saturate(job: Job) -> dict[str, object]:
    """Measure the cost of a delivery, and deliveries a second."""
    crowd = Crowd(job)
    await crowd.gather()
    windows = Windows(crowd.rooms, job.scenario.window)
    await windows.send_for(WARM_UP)
    await crowd.settle()
    meter = Meter(job.processes)
    had, sent = crowd.deliveries, crowd.messages
    started = perf_counter()
    await windows.send_for(job.scenario.seconds)
    await crowd.delivered()
    took = perf_counter() - started
    await crowd.settle()
    return {
        **meter.per(crowd.deliveries - had),
        "deliveries": crowd.deliveries - had,
        "messages": crowd.messages - sent,
        **crowd.disorder,
        "per_second": (crowd.deliveries - had) / took,
        "settled_after": perf_counter() - started - took,
    }
