"""An empty server with an open partition for each test."""

import pytest

from tests.integration.broker.bench import Bench
from tests.support.valkey import Valkey


@pytest.fixture
async def bench(server: Valkey) -> Bench:
    """An empty server, its one partition open in epoch 1."""
    made = Bench(server)
    await made.reopen(1)
    return made
