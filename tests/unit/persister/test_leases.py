"""What the worker hears of leases that change while a round is under way."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from persister.leases import Leases
from shared.broker.partitions.members import Membership
from shared.broker.partitions.partitions import PartitionBroker


class _Broker:
    """Gives every lease to whoever asks; something may happen meanwhile, once."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] | None = None

    async def hold_lease(self, _number: int, _owner: str) -> bool:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return True


class _Alone:
    """The only persister."""

    incarnation = "persister-1"

    async def announce(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(persisters=1, all_read=0)]


async def test_a_lease_lost_and_taken_in_one_round_is_told() -> None:
    """Who loses a partition to another, and has its lease again at once, claims it again."""
    broker = _Broker()
    leases = Leases(cast("PartitionBroker", broker), cast("Membership", _Alone()), 1, 0.06)
    running = asyncio.create_task(leases.run())
    async with asyncio.timeout(5):
        await leases.changed.wait()
        leases.changed.clear()
        broker.meanwhile = lambda: leases.lose(0)
        await leases.changed.wait()
    assert leases.wanted == {0}
    leases.end()
    await running
