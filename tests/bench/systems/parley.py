"""Parley: `python -m deploy.cluster` of the checkout in the current folder, with defaults."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from tests.bench.plan import Scenario
from tests.bench.systems.children import child
from tests.bench.systems.system import NotHereError, Running
from tests.support.ports import free_port

READY_TIMEOUT_SECONDS = 40.0
# What the load balancer, gateways, Redis and the admin pages listen on, above PORT.
OFFSETS = (*range(17), 500, *range(1000, 1017), *range(1101, 1104))


# Nobody is refused, but everything is counted.
LIMITS = {
    "RATE_LIMITS": "on",
    "MAX_CONNECTIONS": "100000",
    **dict.fromkeys(
        (
            "RATE_CONNECTIONS",
            "RATE_USER_CONNECTIONS",
            "RATE_MESSAGES",
            "RATE_JOINS",
            "RATE_TYPING",
            "RATE_HISTORY",
            "RATE_REQUESTS",
            "RATE_REST",
            "RATE_PAGES",
        ),
        "100000/1s:100000",
    ),
    **dict.fromkeys(("RATE_BYTES", "RATE_PACKETS"), "9999999/1s:9999999"),
}


class Parley:
    """Two gateways, a persister, Valkey with `appendfsync always`, SQLite.

    Args:
        dialect: `parley-json` or `parley-socketio`.
        root: the checkout to run.
        gateways: how many.
        limits: with RATE_LIMITS=on.
    """

    resumes = True
    balanced = True

    def __init__(
        self, dialect: str, root: Path, gateways: int = 2, *, limits: bool = False
    ) -> None:
        self.name = f"{dialect}-limits" if limits else dialect
        self._dialect = dialect
        self._limits = LIMITS if limits else {}
        self._root = root
        self._gateways = gateways

    def version(self) -> str:
        """The commit."""
        command = ["git", "-C", str(self._root), "describe", "--always", "--dirty"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"this checkout, {said.stdout.strip() or 'of no commit'}"

    @asynccontextmanager
    async def start(self, scenario: Scenario, folder: Path) -> AsyncIterator[Running]:  # noqa: ARG002
        """Start it."""
        port = free_port(OFFSETS)
        env = {
            **os.environ,
            "GATEWAYS": str(self._gateways),
            "PERSISTERS": "1",
            "PORT": str(port),
            "DATA_DIR": str(folder),
            "DRAIN_SECONDS": "0.5",
            # Telling everyone of everyone is not what is priced here.
            "BROADCAST_LIMIT": "0",
            **self._limits,
        }
        own = self._root / ".venv" / "bin" / "python"
        python = str(own) if own.exists() else sys.executable
        async with child(python, "-m", "deploy.cluster", env=env, cwd=self._root) as cluster:
            await cluster.receive("cluster ready: ", READY_TIMEOUT_SECONDS)
            if self._dialect == "parley-socketio" and not await asyncio.to_thread(
                answers, f"http://127.0.0.1:{port + 1}/socket.io/?EIO=4&transport=polling"
            ):
                raise NotHereError("/socket.io/ answers 404 in this checkout")
            yield Running(
                self._dialect,
                tuple(f"ws://127.0.0.1:{port + n}" for n in range(1, self._gateways + 1)),
                self._processes(folder),
                str(folder / "parley.db"),
                f"ws://127.0.0.1:{port}",
            )

    def _processes(self, folder: Path) -> dict[str, list[int]]:
        pids: dict[str, list[int]] = {}
        for file in sorted((folder / "run").glob("*.pid")):
            role = file.stem.rstrip("-0123456789")
            pids.setdefault(role, []).append(int(file.read_text()))
        return pids


def answers(url: str) -> bool:
    """True if a server answers at a URL."""
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310  our own server
            return True
    except urllib.error.HTTPError as error:
        return error.code != HTTPStatus.NOT_FOUND
