"""The end of tasks that talk to the broker: a client library may swallow a cancellation."""

import asyncio

from shared.essential import EssentialTask
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER


async def test_a_busy_task_ends_when_it_is_closed(server: Valkey) -> None:
    """A task that is closed in the middle of a call to the broker ends, and its closing too."""
    client, wanted = server.client(), True

    async def ask() -> None:
        while wanted:
            await client.ping()

    tasks = [EssentialTask(ask(), "busy") for _ in range(16)]
    await asyncio.sleep(0.02)
    closing = [asyncio.create_task(task.close()) for task in tasks]
    _, left = await asyncio.wait(closing, timeout=HANGS_AFTER)
    wanted = False
    await asyncio.wait(closing)
    assert len(left) == 0
