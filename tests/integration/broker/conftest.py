"""A server with open partitions for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.broker.bench import Bench
from tests.support.valkey import Valkey


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A fresh server, its one partition open in epoch 1."""
    async with Valkey() as server:
        made = Bench(server)
        await made.reopen(1)
        yield made
