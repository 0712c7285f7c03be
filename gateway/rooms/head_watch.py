"""Looks whether rooms that seem silent moved on without this gateway."""

import asyncio
from collections import defaultdict
from typing import Final

from gateway.rooms.hub import Hub
from gateway.rooms.local_room import GAPS, LocalRoom
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.logs import LogBroker
from shared.errors import ChatError
from shared.essential import PeriodicTask

SILENCE_SECONDS: Final = 1.0
"""Seconds without an event after which a room is looked at, and between two looks."""

MAX_ROOMS_PER_CALL: Final = 500
"""Rooms in one call, so that others need not wait long for the broker."""


class HeadWatch:
    """The last of the ways to notice what pub/sub lost; it needs no sign at all.

    Attributes:
        task: looks once a second.
    """

    def __init__(self, hub: Hub, logs: LogBroker, keys: Keyspace) -> None:
        self._hub = hub
        self._logs = logs
        self._keys = keys
        self.task = PeriodicTask(self._look, SILENCE_SECONDS, "head watch")

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        silent: defaultdict[int, list[LocalRoom]] = defaultdict(list)
        for local in self._hub.followed_rooms():
            if now - local.last_event_at >= SILENCE_SECONDS:
                silent[self._keys.number_of(local.room.key)].append(local)
        for rooms in silent.values():
            for start in range(0, len(rooms), MAX_ROOMS_PER_CALL):
                await self._look_at(rooms[start : start + MAX_ROOMS_PER_CALL])

    async def _look_at(self, rooms: list[LocalRoom]) -> None:
        try:
            heads = await self._logs.heads([local.room.key for local in rooms])
        except ChatError:
            return  # the next look is soon
        for local, head in zip(rooms, heads, strict=True):
            if head > local.head:
                GAPS.value += 1
                local.catch_up()
