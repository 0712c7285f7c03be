"""Peers that run as two nodes on a Valkey: Node's Socket.IO, python-socketio, plain Starlette."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.bench.plan import Scenario
from tests.bench.systems.children import child
from tests.bench.systems.system import NotHereError, Running
from tests.bench.systems.valkey import valkey, valkey_version
from tests.support.ports import free_port
from tests.support.process import ROOT

NODES = 2
NODE_PEER = ROOT / "tests" / "bench" / "peers" / "node"


class Peer:
    """Two processes of a command with a port and the Valkey's URL at its end.

    Attributes:
        dialect: how it is spoken to.
        role: what its processes are called in the result.
        ready: what a process says when it listens.
    """

    dialect = "socketio"
    role = "node"
    ready = "ready"
    resumes = False
    balanced = False
    name: str

    def version(self) -> str:
        """The versions of its parts."""
        raise NotImplementedError

    def command(self, port: int, redis_url: str, scenario: Scenario) -> list[str]:
        """The command line of one process."""
        raise NotImplementedError

    @asynccontextmanager
    async def start(self, scenario: Scenario, folder: Path) -> AsyncIterator[Running]:
        """Start it."""
        env = {**os.environ, "NODE_ENV": "production", "PYTHONPATH": str(ROOT)}
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(valkey(folder))
            ports, pids = [free_port() for _ in range(NODES)], []
            for port in ports:
                command = self.command(port, broker.url, scenario)
                node = await stack.enter_async_context(child(*command, env=env, cwd=folder))
                await node.receive(self.ready)
                pids.append(node.pid)
            yield Running(
                "socketio-recovering" if scenario.kind == "reconnect" else self.dialect,
                tuple(f"ws://127.0.0.1:{port}" for port in ports),
                {self.role: pids, "redis": [broker.pid]},
            )


class NodeSocketIo(Peer):
    """Node's own Socket.IO server, on one of its adapters for Redis."""

    def __init__(self, adapter: str) -> None:
        # Connection state recovery is the streams adapter's alone.
        self.resumes = "streams" in adapter
        self.name = "node-streams" if self.resumes else "node-redis"
        self._adapter = adapter

    def version(self) -> str:
        node = shutil.which("node")
        if node is None or shutil.which("npm") is None:
            raise NotHereError("node and npm are not on PATH")
        install()
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        own, adapter = (_installed(name) for name in ("socket.io", f"@socket.io/{self._adapter}"))
        return f"Node {said.stdout.strip()}, {own}, {adapter}, 2 nodes, {valkey_version()}"

    def command(self, port: int, redis_url: str, scenario: Scenario) -> list[str]:
        recover = ["recover"] if scenario.kind == "reconnect" else []
        server = str(NODE_PEER / "server.js")
        return ["node", "--expose-gc", server, self._adapter, str(port), redis_url, *recover]


class PythonPeer(Peer):
    """A server of `peers/`, under uvicorn."""

    role = "python"
    ready = "Uvicorn running"

    def __init__(self, name: str, dialect: str, module: str, packages: tuple[str, ...]) -> None:
        self.name = name
        self.dialect = dialect
        self._module = module
        self._packages = packages

    def version(self) -> str:
        try:
            made_of = [f"{name} {importlib.metadata.version(name)}" for name in self._packages]
        except importlib.metadata.PackageNotFoundError as missing:
            raise NotHereError(f"{missing.name} is not installed") from None
        return ", ".join([*made_of, "2 nodes", valkey_version()])

    def command(self, port: int, redis_url: str, scenario: Scenario) -> list[str]:
        del scenario
        return [sys.executable, "-m", f"tests.bench.peers.{self._module}", str(port), redis_url]


def install() -> None:
    """Install the packages that `peers/node/package-lock.json` pins, where they are not.

    Raises:
        NotHereError: npm could not.
    """
    stamp = NODE_PEER / "node_modules" / ".package-lock.json"
    pinned = NODE_PEER / "package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= pinned.stat().st_mtime:
        return
    print("installing what tests/bench/peers/node pins ...", file=sys.stderr, flush=True)
    npm = subprocess.run(["npm", "ci"], cwd=NODE_PEER, capture_output=True, text=True, check=False)
    if npm.returncode:
        raise NotHereError(f"npm ci failed: {npm.stderr.strip().splitlines()[-1:]}")
    stamp.touch()


def _installed(package: str) -> str:
    made = json.loads((NODE_PEER / "node_modules" / package / "package.json").read_text())
    return f"{package} {made['version']}"
