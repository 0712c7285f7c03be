"""Periodic comparison of silent rooms' heads with the broker's, to find lost events."""

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
"""Seconds without an event after which a room is checked, and between two checks."""

MAX_ROOMS_PER_CALL: Final = 500
"""Rooms in one call of the broker, so that other calls need not wait long."""


class HeadWatch:
    """Finds events that pub/sub lost without any other sign.

    A gap shows when the next event arrives. If the last event of a room is lost and no other
    follows, nothing but this comparison finds it.

    Attributes:
        task: checks once a second.
    """

    def __init__(self, hub: Hub, logs: LogBroker, keys: Keyspace) -> None:
        self._hub = hub
        self._logs = logs
        self._keys = keys
        self.task = PeriodicTask(self._check, SILENCE_SECONDS, "head watch")

    async def _check(self) -> None:
        now = asyncio.get_running_loop().time()
        silent: defaultdict[int, list[LocalRoom]] = defaultdict(list)
        for local in self._hub.followed_rooms():
            if now - local.last_event_at >= SILENCE_SECONDS:
                silent[self._keys.number_of(local.room.key)].append(local)
        for rooms in silent.values():
            for start in range(0, len(rooms), MAX_ROOMS_PER_CALL):
                await self._check_rooms(rooms[start : start + MAX_ROOMS_PER_CALL])

    async def _check_rooms(self, rooms: list[LocalRoom]) -> None:
        try:
            heads = await self._logs.heads([local.room.key for local in rooms])
        except ChatError:
            return  # the next check follows in a second
        for local, head in zip(rooms, heads, strict=True):
            if head > local.head:
                GAPS.value += 1
                local.catch_up()
