"""Whether this gateway can carry messages now."""

import asyncio
from typing import Final

from gateway.pulse import Pulse
from shared.broker.client import UNAVAILABLE
from shared.broker.partitions import PartitionProbe
from shared.essential import EssentialTask
from shared.telemetry import logger

LOOK_EVERY: Final = 0.5
LOOK_AGAIN: Final = 0.1
"""Seconds between two looks, while all is well and while something is missing."""

log = logger(__name__)


class Readiness:
    """Watches the partitions; the pulse watches the broker."""

    def __init__(self, pulse: Pulse, probe: PartitionProbe) -> None:
        self._pulse = pulse
        self._probe = probe
        self._closed: int | None = None
        self._task: EssentialTask | None = None
        self.draining = False

    @property
    def waits_for(self) -> str | None:
        """What is missing, in a few words; None when nothing is."""
        if self.draining:
            return "nothing, it is leaving"
        if not self._pulse.fresh:
            return "the broker"
        if self._closed is None:
            return "word of the partitions"
        if self._closed:
            return f"{self._closed} partitions to be opened by a persister"
        return None

    def start(self) -> None:
        """Begin to watch."""
        self._task = EssentialTask(self._run(), "readiness")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            await self._task.close()

    async def _run(self) -> None:
        # Another PARTITIONS than the data's ends the process: it would serve the wrong rooms.
        said = ""
        while True:
            try:
                self._closed = await self._probe.closed()
            except UNAVAILABLE:
                self._closed = None
            if (now := self.waits_for or "ready") != said:
                log.info("readiness", waits_for=self.waits_for)
                said = now
            await asyncio.sleep(LOOK_AGAIN if self.waits_for else LOOK_EVERY)
