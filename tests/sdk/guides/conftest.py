"""A machine for readers, and a reader for each test."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sdk.guides.machine import Machine
from tests.sdk.guides.reader import Reader


@pytest_asyncio.fixture(scope="session")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    """A machine with a checkout, on which nothing runs yet."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    yield machine
    await machine.shut_down()


@pytest.fixture
def folder(machine: Machine) -> Path:
    """An empty folder beside `parley`."""
    return Path(tempfile.mkdtemp(prefix="reader-", dir=machine.folder))


@pytest_asyncio.fixture
async def reader(machine: Machine, folder: Path) -> AsyncIterator[Reader]:
    """Somebody with an empty folder, whose programs end with the test."""
    reader = Reader(machine, folder)
    yield reader
    await reader.stop()
