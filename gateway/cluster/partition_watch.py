"""Watches the partitions: which accept sends, and which were opened anew."""

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
RECHECK_INTERVAL_SECONDS: Final = 0.1
"""Seconds between two looks, while all is well and while something is missing."""

RECONNECT_INTERVAL_SECONDS: Final = 2.0
"""Seconds between two tries to leave a server that was left behind."""

FIRST_EPOCH: Final = 1
"""Before it there was nothing that could be sent again."""

log = logger(__name__)


class PartitionWatch:
    """Where each partition stands, as of the last look.

    Attributes:
        task: watches; at its end this gateway is counted among the living processes no more.
        states: None while the broker does not answer.
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
        """Prepare.

        Args:
            probe: looks.
            membership: this gateway among the living processes.
            check: asks SQL for the epochs.
            keys: of the installation.
            settings: DEDUPE_MINUTES.
            opened: called with each partition and its epoch, when it is first seen in that.
            left_behind: awaited when the broker's server knows less than SQL.
        """
        self._probe = probe
        self._membership = membership
        self._check = check
        self._keys = keys
        self._remembered = settings.dedupe_minutes * 60
        self._opened = opened
        self._left_behind = left_behind
        self._epochs: dict[int, int] = {}
        self._announce_at = 0.0
        self._renew_at = 0.0
        self.task = PeriodicTask(
            self._watch, self._pause, "partition watch", at_once=True, at_close=self._leave
        )
        self.states: list[PartitionState] | None = None

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self._keys)

    @property
    def closed_count(self) -> int | None:
        """How many partitions accept nothing; None while nobody knows."""
        if self.states is None:
            return None
        return sum(state.epoch is None for state in self.states)

    def is_recently_reopened(self, key: str) -> bool:
        """Whether the broker may have forgotten sends to this room that it should remember."""
        if self.states is None:
            return False
        state = self.states[self._keys.number_of(key)]
        return state.epoch not in (None, FIRST_EPOCH) and state.age < self._remembered

    async def _watch(self) -> None:
        # Another PARTITIONS than the data's, a format that this build does not read, or another
        # database ends the process: it would serve what is not there.
        try:
            self.states = await self._look()
        except UNAVAILABLE:
            self.states = None
        for number, state in enumerate(self.states or ()):
            if state.epoch is not None and state.epoch != self._epochs.get(number):
                self._epochs[number] = state.epoch
                self._opened(number, state.epoch)

    def _pause(self) -> float:
        return CHECK_INTERVAL_SECONDS if self.closed_count == 0 else RECHECK_INTERVAL_SECONDS

    async def _leave(self) -> None:
        """Be counted among the living processes no more."""
        with contextlib.suppress(*UNAVAILABLE):
            await self._membership.leave()

    async def _look(self) -> list[PartitionState]:
        now = asyncio.get_running_loop().time()
        if now >= self._announce_at:
            await self._membership.announce()
            self._announce_at = now + ANNOUNCE_INTERVAL_SECONDS
        await self._check.confirm()
        states = await self._probe.states()
        if now >= self._renew_at and any(state.left_behind for state in states):
            log.warning("the broker's server was left behind by a failover: leaving it")
            self._renew_at = now + RECONNECT_INTERVAL_SECONDS
            await self._left_behind()
        return states
