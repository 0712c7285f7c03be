"""A broker and a database for each test that asks for a stage."""

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


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Two partitions, nothing opened yet."""
    async with Valkey() as server:
        made = Stage(server, tmp_path)
        yield made
        await made.close()
