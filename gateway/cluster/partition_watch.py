"""Periodic check of the partitions: which accept sends, and which were opened in a new epoch."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.rooms.store.epoch_check import EpochCheck
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import ANNOUNCE_INTERVAL_SECONDS, Membership
from shared.broker.partitions.partitions import PartitionProbe, PartitionState
from shared.broker.transport.client import UNAVAILABLE
from shared.config import Settings
from shared.essential import PeriodicTask
from shared.telemetry import logger

CHECK_INTERVAL_SECONDS: Final = 0.5
"""Seconds between two checks while all partitions are open."""

RECHECK_INTERVAL_SECONDS: Final = 0.1
"""Seconds between two checks while a partition is closed."""

RECONNECT_INTERVAL_SECONDS: Final = 2.0
"""Seconds between two reconnections away from a server that a failover left behind."""

FIRST_EPOCH: Final = 1
"""The epoch of new data; no send is older, so none can have been forgotten."""

log = logger(__name__)


class PartitionWatch:
    """Keeps the state of each partition as of the last check.

    Attributes:
        task: checks periodically; when it is closed, this gateway is no longer a member of the
            cluster.
        states: the state of each partition, by number; None while the broker does not answer.
    """

    def __init__(
        self,
        probe: PartitionProbe,
        membership: Membership,
        check: EpochCheck,
        keys: Keyspace,
        settings: Settings,
        opened: Callable[[int, int], None],
        left_behind: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare the check.

        Args:
            probe: reads the states of the partitions.
            membership: announces this gateway to the cluster.
            check: reads the epochs from SQL.
            keys: the partitions of the installation.
            settings: DEDUPE_MINUTES is used.
            opened: called with a partition's number and epoch when the epoch is first seen.
            left_behind: awaited when SQL has a later epoch than the broker's server, so that a
                failover has left the server behind.
        """
        self._probe = probe
        self._membership = membership
        self._check = check
        self._keys = keys
        self._dedupe_seconds = settings.dedupe_minutes * 60
        self._opened = opened
        self._left_behind = left_behind
        self._epochs: dict[int, int] = {}
        self._announce_at = 0.0
        self._renew_at = 0.0
        self.task = PeriodicTask(
            self._check_partitions,
            self._pause,
            "partition watch",
            at_once=True,
            at_close=self._leave,
        )
        self.states: list[PartitionState] | None = None
        self._min_known_schema = 0

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return len(self._keys)

    @property
    def closed_count(self) -> int | None:
        """Number of partitions that do not accept sends; None while the broker does not answer."""
        if self.states is None:
            return None
        return sum(state.epoch is None for state in self.states)

    def is_recently_reopened(self, key: str) -> bool:
        """Return True if the broker may have lost its memory of recent sends to a room.

        Example: a client sends `clientMsgId` "a" in epoch 1 and loses the reply; Redis loses its
        data; "a" is in SQL. The client sends "a" again in epoch 2. The broker does not know it, so
        until epoch 2 is DEDUPE_MINUTES old, SQL has to be asked first.
        """
        if self.states is None:
            return False
        state = self.states[self._keys.number_of(key)]
        return state.epoch not in (None, FIRST_EPOCH) and state.age < self._dedupe_seconds

    def all_know_schema(self, schema: int) -> bool:
        """Return True if every running process is of a build that knows this schema of SQL."""
        return self._min_known_schema >= schema

    async def _check_partitions(self) -> None:
        # Other errors end the process: the data has another number of partitions, a format that
        # this build does not read, or another database. Serving it would show rooms as empty.
        try:
            self.states = await self._read_states()
        except UNAVAILABLE:
            self.states = None
        for number, state in enumerate(self.states or ()):
            if state.epoch is not None and state.epoch != self._epochs.get(number):
                self._epochs[number] = state.epoch
                self._opened(number, state.epoch)

    def _pause(self) -> float:
        return CHECK_INTERVAL_SECONDS if self.closed_count == 0 else RECHECK_INTERVAL_SECONDS

    async def _leave(self) -> None:
        """Take this gateway out of the members of the cluster."""
        with contextlib.suppress(*UNAVAILABLE):
            await self._membership.leave()

    async def _read_states(self) -> list[PartitionState]:
        now = asyncio.get_running_loop().time()
        if now >= self._announce_at:
            replies = await self._membership.announce()
            self._min_known_schema = min(reply.schema for reply in replies)
            self._announce_at = now + ANNOUNCE_INTERVAL_SECONDS
        await self._check.confirm()
        states = await self._probe.states()
        if now >= self._renew_at and any(state.left_behind for state in states):
            log.warning("a failover left the broker's server behind: reconnecting to the new one")
            self._renew_at = now + RECONNECT_INTERVAL_SECONDS
            await self._left_behind()
        return states
