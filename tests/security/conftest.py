"""Certificates, and two clusters for all tests that only try to do harm."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from tests.security.doors import DOORS, GUARDED, Door, Way
from tests.security.guests import another
from tests.support.certificates import Certificates
from tests.support.cluster import Cluster

_numbers = count(1)


@pytest_asyncio.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """Open to all, without limits of rates; an attack that works breaks the test that tries it."""
    waits = {"HANDSHAKE_SECONDS": "5", "PING_SECONDS": "5"}
    async with Cluster(env={**waits, "LOG_FORMAT": "json"}) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def guarded() -> AsyncIterator[Cluster]:
    """For those with tokens only, with limits of rates; of addresses they are soon reached."""
    # Hardly anything comes back: what is granted does not depend on how fast a test is.
    rates = {"RATE_CONNECTIONS": "1/1m:50", "RATE_REST": "1/1m:50", "RATE_GUESSES": "1/1h:5"}
    # So the load balancer, too, takes the address that `new_address` gives.
    trusted = {"TRUSTED_PROXIES": "127.0.0.1"}
    async with Cluster(env={**GUARDED, **rates, **trusted}) as running:
        yield running


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    """Each way of speaking to a gateway."""
    found: Door = request.param
    return found


@pytest.fixture(params=(1, 2))
def way(request: pytest.FixtureRequest, guarded: Cluster, door: Door) -> Way:
    """Each way of speaking to each gateway, where tokens are wanted."""
    return Way(guarded, door, request.param, f"test {next(_numbers)}")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For 127.0.0.1, by an authority that nobody knows."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return Certificates(folder)


@pytest.fixture
def address() -> str:
    """An address that no other test uses."""
    return another("192.0.2")


@pytest.fixture
def room() -> str:
    """The name of a room that no other test uses."""
    return f"guests' room {next(_numbers)}"


@pytest_asyncio.fixture(loop_scope="session")
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Keeps clients connected until the test has ended."""
    async with AsyncExitStack() as opened:
        yield opened
