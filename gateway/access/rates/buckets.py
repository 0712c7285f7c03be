"""Token buckets in the broker, which a gateway counts alone while the broker is away."""

import asyncio
from collections.abc import Sequence
from typing import Final

from shared.broker.sessions.limits import Bucket, LimitBroker, LimitsUnavailable
from shared.telemetry import logger

BROKER_TIMEOUT_SECONDS: Final = 2.0
"""Seconds that the broker may take to answer; then this gateway counts alone."""

BROKER_RETRY_SECONDS: Final = 5.0
"""Seconds until the broker is asked again after it did not answer."""

SWEEP_SECONDS: Final = 60.0
"""Seconds between two looks for buckets that are full again."""

log = logger(__name__)


class Buckets:
    """The buckets of all rates, as one gateway takes from them."""

    def __init__(self, broker: LimitBroker) -> None:
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        # Buckets that this gateway counts alone, each with the time in microseconds at which it is
        # full again.
        self._alone: dict[Bucket, int] = {}
        self._ask_broker_at = 0.0
        self._sweep_at = 0.0

    async def take(self, buckets: Sequence[Bucket], count: int) -> tuple[int, int]:
        """Take tokens from all the buckets or none, as `LimitBroker.take` does.

        Args:
            buckets: to take from.
            count: tokens of each; below 0 to give them back.

        Returns:
            The number of tokens that were granted, and the microseconds until the next one comes.
        """
        now = self._loop.time()
        if now >= self._ask_broker_at:
            try:
                async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                    return await self._broker.take(buckets, count)
            except (LimitsUnavailable, TimeoutError) as error:
                self._ask_broker_at = self._loop.time() + BROKER_RETRY_SECONDS
                log.warning(
                    "the broker does not answer: rates are counted by this gateway alone",
                    reason=str(error),
                )
        return self.take_alone(buckets, count)

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Return one token to each of the buckets."""
        await self.take(buckets, -1)

    def take_alone(self, buckets: Sequence[Bucket], count: int) -> tuple[int, int]:
        """Do the same as `take`, without the broker."""
        now, local = self._now(), self._alone
        taken = [bucket.rate.take(local.get(bucket, 0), now, count) for bucket in buckets]
        # All buckets or none: what the strictest of them grants is taken from each.
        granted = min(each.granted for each in taken)
        if granted:
            for bucket in buckets:
                full_at = max(local.get(bucket, 0), now) + granted * bucket.rate.interval
                local[bucket] = full_at
        self._sweep()
        return granted, max(each.wait for each in taken)

    def _sweep(self) -> None:
        """Drop the buckets that are full again."""
        now = self._loop.time()
        if now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP_SECONDS
        microseconds = self._now()
        self._alone = {
            bucket: full_at for bucket, full_at in self._alone.items() if full_at > microseconds
        }

    def _now(self) -> int:
        """Return the time by the event loop's clock, in microseconds."""
        return int(self._loop.time() * 1e6)
