"""What the tests of whole clusters share."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.lender import Lender
from tests.support.peer import WIRES, Wire
from tests.support.protocols import PROTOCOLS

_numbers = count(1)


@pytest_asyncio.fixture(scope="package")
async def cluster() -> AsyncIterator[Cluster]:
    """Two gateways and a persister, for tests that harm nothing."""
    async with Cluster() as running:
        yield running


@pytest_asyncio.fixture(scope="package")
async def lender() -> AsyncIterator[Lender]:
    """What has a cluster for tests that do harm."""
    async with Lender() as lender:
        yield lender


@pytest_asyncio.fixture
async def sturdy(lender: Lender) -> AsyncIterator[Cluster]:
    """Two gateways and a persister, for a test that does harm and sees that all is well again."""
    async with lender.lent() as lent:
        yield lent


@pytest.fixture
def room() -> str:
    """The name of a room that no other test uses."""
    return f"room {next(_numbers)}"


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Each format on the wire."""
    found: Wire = request.param
    return found


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol of a client that stays connected."""
    found: str = request.param
    return found
