"""One server for all tests, empty for each; a database for each test that asks for a stage."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.stage import Stage
from tests.support.valkey import Valkey

settings.register_profile(
    "integration",
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="package")
async def running_server() -> AsyncIterator[Valkey]:
    """A server that tests borrow one after the other."""
    async with Valkey() as server:
        yield server


@pytest.fixture
async def server(running_server: Valkey) -> AsyncIterator[Valkey]:
    """The server, empty; a test may kill it."""
    async with running_server.lent() as lent:
        yield lent


@pytest.fixture
async def stage(server: Valkey, tmp_path: Path) -> AsyncIterator[Stage]:
    """Two partitions, nothing opened yet."""
    made = Stage(server, tmp_path)
    yield made
    await made.close()
