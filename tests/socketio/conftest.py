"""A cluster and a process of Node's for all tests that harm neither."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from tests.socketio.clients import FOLDER, TRANSPORTS, VERSIONS, Node, Version
from tests.support.cluster import Cluster

_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    """Fail in one sentence where npm's packages are missing."""
    if not (FOLDER / "node_modules").is_dir():
        pytest.exit("tests/socketio needs npm's packages: run `make test-socketio`", 1)


@pytest_asyncio.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """Two gateways and a persister."""
    async with Cluster() as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def node() -> AsyncIterator[Node]:
    """What holds the clients."""
    async with Node() as running:
        yield running


@pytest.fixture
def room() -> str:
    """The name of a room that no other test uses."""
    return f"room {next(_numbers)}"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Version:
    """Each version of socket.io-client."""
    found: Version = request.param
    return found


@pytest.fixture(params=TRANSPORTS)
def transports(request: pytest.FixtureRequest) -> dict[str, object]:
    """Each way of connecting, as options of a client."""
    return TRANSPORTS[request.param]
