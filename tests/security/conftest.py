"""Certificates, and one cluster for all tests that only try to do harm."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.certificates import Certificates
from tests.support.cluster import Cluster


@pytest_asyncio.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """Two gateways and a persister; an attack that works breaks the test that tries it."""
    async with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For 127.0.0.1, by an authority that nobody knows."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return Certificates(folder)
