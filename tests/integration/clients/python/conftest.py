"""One cluster for the client's tests: two gateways, a persister, a real Valkey and SQLite."""

import secrets
from collections.abc import AsyncIterator

import pytest

from tests.support.cluster import Cluster


@pytest.fixture(scope="package")
async def cluster() -> AsyncIterator[Cluster]:
    """The cluster; a test that kills a part of it waits until that is back."""
    async with Cluster() as running:
        yield running


@pytest.fixture
def room() -> str:
    """The name of a room that no other test has."""
    return f"room {secrets.token_hex(4)}"


@pytest.fixture
def users() -> tuple[int, str]:
    """Two users that no other test has: one with a number for an id, one with a text."""
    number = secrets.randbelow(10**15)
    return number, f"user {number}"


@pytest.fixture(params=[1, 2])
def gateway(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    """Each gateway in turn."""
    return cluster.gateway_url(request.param)
