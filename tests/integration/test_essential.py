"""The end of tasks that talk to the broker."""

import asyncio

import pytest

from persister.leases import Leases
from shared.broker.partitions import PartitionBroker
from shared.essential import EssentialTask
from tests.support.valkey import Valkey


@pytest.mark.parametrize("round_", range(5))
async def test_a_busy_task_ends_when_it_is_closed(server: Valkey, round_: int) -> None:
    """A task that is closed in the middle of a call to the broker ends, and its closing too."""
    client = server.client()

    async def ask_for_ever() -> None:
        while True:
            await client.ping()

    task = EssentialTask(ask_for_ever(), "busy")
    await asyncio.sleep(0.01 + round_ / 1000)
    closing = asyncio.create_task(task.close())
    ended, _ = await asyncio.wait([closing], timeout=2)
    await _end(closing, ended=bool(ended))


@pytest.mark.parametrize("round_", range(5))
async def test_leases_end_when_they_are_told_to(server: Valkey, round_: int) -> None:
    """Leases that are being renewed when the persister ends are renewed no more."""
    broker = PartitionBroker(server.client(), _settings())
    leases = Leases(broker, "a", 16, 0.001)  # so that they are renewed all the time
    running = asyncio.create_task(leases.run())
    await asyncio.sleep(0.02 + round_ / 1000)
    running.cancel()
    ended, _ = await asyncio.wait([running], timeout=2)
    await _end(running, ended=bool(ended))
