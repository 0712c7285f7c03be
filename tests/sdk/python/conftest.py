"""The wheel, built once, and environments with and without its extra."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.sdk.python.installed import Built, Environment, build, install
from tests.support.cluster import Cluster


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel and the sdist."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def plain(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel without the extra, on the lowest versions of what it needs."""
    return install(built, tmp_path_factory.mktemp("plain"), lowest=True)


@pytest.fixture(scope="session")
def full(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with the extra, on the versions that the repository pins."""
    return install(built, tmp_path_factory.mktemp("full"), extra="[terminal]")


@pytest_asyncio.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """A server to talk to."""
    async with Cluster() as running:
        yield running


@pytest.fixture
def room() -> str:
    """The name of a room that no other test has."""
    return f"room {secrets.token_hex(4)}"
