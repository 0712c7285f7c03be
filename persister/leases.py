"""Which partitions are ours: a lease each, shared out evenly among the living persisters."""

import asyncio
import contextlib
from math import ceil

from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import PartitionBroker
from shared.broker.transport.client import UNAVAILABLE
from shared.telemetry import logger

log = logger(__name__)


class Leases:
    """Keeps leases in the broker up to date.

    A lease only says who should write. Who may is decided in SQL, by the claim that every
    transaction checks: a process that was paused past its lease cannot do harm.
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
            broker: where leases are.
            membership: this process among the living ones.
            partitions: how many there are.
            lease_seconds: after which a dead owner's partitions are free.
        """
        self._broker = broker
        self._membership = membership
        self._owner = membership.incarnation
        self._partitions = partitions
        self._tick = lease_seconds / 6
        self._held: set[int] = set()
        self._surplus: set[int] = set()
        self._took_any = False
        # A renewal under way while a lease is given back would take it again.
        self._lock = asyncio.Lock()
        self._ended = asyncio.Event()
        self._all_read: dict[int, int] = {}
        self.changed = asyncio.Event()

    @property
    def wanted(self) -> frozenset[int]:
        """Partitions whose lease is ours and that are ours to keep."""
        return frozenset(self._held - self._surplus)

    @property
    def surplus(self) -> frozenset[int]:
        """Partitions whose lease is ours and that others are to have."""
        return frozenset(self._surplus)

    def all_read(self, number: int) -> int:
        """The newest format that every living process reads; 0 where nobody said so yet."""
        return self._all_read.get(number, 0)

    async def run(self) -> None:
        """Take, renew and hand over leases until `end`.

        Raises:
            ConfigError: this process may not work with the data any more: it is in a format that
                this build does not read, or another database has taken the place of this one.
        """
        while not self._ended.is_set():
            before, self._took_any = self.wanted, False
            try:
                async with self._lock:
                    await self._renew()
            except UNAVAILABLE as error:
                log.warning("leases not renewed", error=str(error))
            # One that was lost since this round began, and taken again, makes no other difference.
            if self._took_any or self.wanted != before:
                self.changed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._tick):
                    await self._ended.wait()

    def end(self) -> None:
        """Let `run` return. A cancellation in the middle of a call to the broker may be lost."""
        self._ended.set()

    async def release(self, number: int) -> None:
        """Give back a partition that is no longer wanted, after its last batch."""
        async with self._lock:
            self._held.discard(number)
            self._surplus.discard(number)
            await self._broker.release_lease(number, self._owner)

    def lose(self, number: int) -> None:
        """Another owner has this partition in SQL; the lease shows it soon."""
        self._held.discard(number)
        self._surplus.discard(number)

    async def leave(self) -> None:
        """Give everything back, at the end."""
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
