"""Leases: the partitions that this persister should store, an even share of all."""

import asyncio
import contextlib
from math import ceil

from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import PartitionBroker
from shared.broker.transport.client import UNAVAILABLE
from shared.telemetry import OutageLog, logger

log = logger(__name__)


class Leases:
    """Takes, renews and gives back leases in the broker.

    A lease says which persister should write. SQL decides which one writes, by the owner
    and epoch that every transaction checks. Example: persister A is paused for 10 s, its lease
    expires after 3 s, and B takes the partition, claims it in SQL and stores up to 500. A wakes up
    and commits its batch up to 480: the update finds owner B, and the whole transaction fails.
    """

    def __init__(
        self,
        broker: PartitionBroker,
        membership: Membership,
        partitions: int,
        lease_seconds: float,
    ) -> None:
        """Prepare.

        Args:
            broker: the commands for leases.
            membership: the announcements of this process.
            partitions: the number of partitions.
            lease_seconds: seconds after which the leases of a dead persister expire.
        """
        self._broker = broker
        self._membership = membership
        self._owner = membership.incarnation
        self._partitions = partitions
        self._tick = lease_seconds / 6
        self._held: set[int] = set()
        self._surplus: set[int] = set()
        self._took_any = False
        # Excludes renewing and releasing at the same time: a renewal that was sent before the
        # release, and is executed after it, would take the lease again for nobody.
        self._lock = asyncio.Lock()
        self._ended = asyncio.Event()
        self._all_read: dict[int, int] = {}
        self._outage = OutageLog(log, "leases not renewed", "leases are renewed again")
        self.changed = asyncio.Event()

    @property
    def wanted(self) -> frozenset[int]:
        """The partitions that this process holds by lease and should keep."""
        return frozenset(self._held - self._surplus)

    @property
    def surplus(self) -> frozenset[int]:
        """The partitions that this process holds beyond its share and should give back."""
        return frozenset(self._surplus)

    def all_read(self, number: int) -> int:
        """The newest format that every running process reads; 0 before the first announcement."""
        return self._all_read.get(number, 0)

    async def run(self) -> None:
        """Take and renew leases until `end`.

        Raises:
            ConfigError: this process may not work with the data any more: the format is one that
                this build does not read, or another database has taken the place of this one.
        """
        while not self._ended.is_set():
            before, self._took_any = self.wanted, False
            try:
                async with self._lock:
                    await self._renew()
                self._outage.succeeded()
            except UNAVAILABLE as error:
                self._outage.failed(error)
            # `_took_any` tells of a lease that was lost and taken again since this round began,
            # which leaves `wanted` as it was; the worker must claim the partition again.
            if self._took_any or self.wanted != before:
                self.changed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._tick):
                    await self._ended.wait()

    def end(self) -> None:
        """Let `run` return. Cancelling it might be lost in the middle of a call to the broker."""
        self._ended.set()

    async def release(self, number: int) -> None:
        """Give back the lease of a partition, after its last batch."""
        async with self._lock:
            self._held.discard(number)
            self._surplus.discard(number)
            await self._broker.release_lease(number, self._owner)

    def report_outage(self, reason: str) -> None:
        """Let the status page show why this process cannot store now; '' if it can."""
        self._membership.outage = reason

    def lose(self, number: int) -> None:
        """Note that another persister owns this partition in SQL."""
        self._held.discard(number)
        self._surplus.discard(number)

    async def leave(self) -> None:
        """Give back all leases and the announcement, at the end of the process."""
        for number in list(self._held):
            await self.release(number)
        await self._membership.leave()

    async def _renew(self) -> None:
        replies = await self._membership.announce()
        self._all_read = {number: reply.all_read for number, reply in enumerate(replies)}
        share = ceil(self._partitions / max(reply.persisters for reply in replies))
        held = sorted(self._held)
        renewals = (self._broker.hold_lease(number, self._owner) for number in held)
        for number, renewed in zip(held, await asyncio.gather(*renewals), strict=True):
            if not renewed:
                self._held.discard(number)
                self._surplus.discard(number)
        for number in range(self._partitions):
            if len(self._held) >= share:
                break
            if number not in self._held and await self._broker.hold_lease(number, self._owner):
                self._held.add(number)
                self._took_any = True
        self._surplus = set(sorted(self._held)[share:])
