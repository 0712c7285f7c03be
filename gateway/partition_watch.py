"""Watches the partitions: which accept sends, and which were opened anew."""

import asyncio
from collections.abc import Callable
from typing import Final

from shared.broker.client import UNAVAILABLE
from shared.broker.partitions import PartitionProbe, PartitionState
from shared.config import Settings
from shared.essential import EssentialTask
from shared.model.ids import partition_of_key

LOOK_EVERY: Final = 0.5
LOOK_AGAIN: Final = 0.1
"""Seconds between two looks, while all is well and while something is missing."""

FIRST_EPOCH: Final = 1
"""Before it there was nothing that could be sent again."""


class PartitionWatch:
    """Where each partition stands, as of the last look.

    Attributes:
        states: None while the broker does not answer.
    """

    def __init__(
        self, probe: PartitionProbe, settings: Settings, reopened: Callable[[int], None]
    ) -> None:
        """Prepare.

        Args:
            probe: looks.
            settings: PARTITIONS and DEDUPE_MINUTES.
            reopened: called with each partition that was opened in a new epoch.
        """
        self._probe = probe
        self._partitions = settings.partitions
        self._remembered = settings.dedupe_minutes * 60
        self._reopened = reopened
        self._epochs: dict[int, int] = {}
        self._task: EssentialTask | None = None
        self.states: list[PartitionState] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = EssentialTask(self._run(), "partition watch")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            await self._task.close()

    @property
    def closed(self) -> int | None:
        """How many partitions accept nothing; None while nobody knows."""
        if self.states is None:
            return None
        return sum(state.epoch is None for state in self.states)

    def is_young(self, key: str) -> bool:
        """Whether the broker may have forgotten sends to this room that it should remember."""
        if self.states is None:
            return False
        state = self.states[partition_of_key(key, self._partitions)]
        return state.epoch not in (None, FIRST_EPOCH) and state.age < self._remembered

    async def _run(self) -> None:
        # Another PARTITIONS than the data's ends the process: it would serve the wrong rooms.
        while True:
            try:
                self.states = await self._probe.states()
            except UNAVAILABLE:
                self.states = None
            for number, state in enumerate(self.states or ()):
                if state.epoch is not None:
                    before = self._epochs.setdefault(number, state.epoch)
                    if state.epoch != before:
                        self._epochs[number] = state.epoch
                        self._reopened(number)
            await asyncio.sleep(LOOK_EVERY if self.closed == 0 else LOOK_AGAIN)
