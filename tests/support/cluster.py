"""A whole cluster for a test: `async with Cluster() as cluster: ...`."""

import asyncio
import contextlib
import itertools
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.settings import Settings
from shared.config.owner import redis_url_file
from tests.support.orphans import end_with_parent
from tests.support.ports import free_port
from tests.support.process import ROOT, environ
from tests.support.waiting import HANGS_AFTER


class ClusterError(AssertionError):
    """The cluster did not do what a test waited for. The text ends with its last lines."""


class Cluster:
    """`python -m deploy.cluster` with a data folder and ports of its own.

    Entering starts it and waits until it is ready; leaving stops it, with SIGKILL if a test left
    it in a state that cannot be drained, and removes the data folder unless it was given.

    Args:
        gateways: Number of gateways.
        persisters: Number of persisters.
        env: Settings on top, by the name of their variable.
        data_dir: A data folder to go on with, kept at the end.
        port: The load balancer's port, for a cluster that is to be found where another was.
        module: What to run instead of `deploy.cluster`.
        root: The folder with the packages to run.
    """

    def __init__(
        self,
        *,
        gateways: int = 2,
        persisters: int = 1,
        env: Mapping[str, str] | None = None,
        data_dir: Path | None = None,
        port: int | None = None,
        module: str = "deploy.cluster",
        root: Path = ROOT,
    ) -> None:
        self._module = module
        self._root = root
        self.gateways = gateways
        self.port = port or free_port(_offsets(gateways, persisters))
        self._own_folder = None if data_dir else tempfile.mkdtemp(prefix="parley-test-")
        self.data_dir = data_dir or Path(str(self._own_folder))
        known = set(Settings.__struct_encode_fields__)
        self.environ = {
            **{name: value for name, value in environ({}).items() if name not in known},
            "GATEWAYS": str(gateways),
            "PERSISTERS": str(persisters),
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "DRAIN_SECONDS": "2",
            **(env or {}),
        }
        self.stdout: list[str] = []
        self.lines: list[str] = []
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    @property
    def command(self) -> tuple[str, ...]:
        """What is run."""
        return (sys.executable, "-m", self._module)

    @property
    def url(self) -> str:
        """The load balancer, as the start of a URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """The load balancer, as the start of the URL of a WebSocket."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def admin_port(self) -> int:
        """The port of the status page and the metrics of the cluster."""
        return self.port + 1000

    @property
    def redis_url(self) -> str:
        """The embedded Redis of this run, with its password."""
        return redis_url_file(self.data_dir).read_text().strip()

    @property
    def operator_secret(self) -> str:
        """What lets an operator act on the operator's ports in this run."""
        return (self.data_dir / "run" / "operator_secret").read_text().strip()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "parley.db"

    @property
    def namespace(self) -> str:
        """The name of the installation, as SQL has it."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT value FROM meta WHERE key = 'namespace'"
            [(found,)] = connection.execute(query).fetchall()
        return str(found)

    def gateway_port(self, number: int) -> int:
        """Return the port of gateway `number`, counted from 1."""
        return self.port + number

    def gateway_url(self, number: int) -> str:
        """Return gateway `number`, counted from 1, as the start of a URL."""
        return f"http://127.0.0.1:{self.gateway_port(number)}"

    def pid(self, name: str) -> int:
        """Return the pid of process `name`: cluster, gateway-1, persister-1, redis, haproxy."""
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send process `name` a signal; return its pid."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    async def start(self) -> None:
        """Start the cluster and return at once."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=self._root,
            env=self.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,  # bytes of a line
            preexec_fn=end_with_parent,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            asyncio.create_task(self._collect(process.stdout, self.stdout)),
            asyncio.create_task(self._collect(process.stderr, self.lines)),
        ]

    async def wait_ready(self, within: float = HANGS_AFTER) -> None:
        """Wait until the cluster has said that it is ready."""
        await self._wait(
            lambda: any("cluster ready: " in line for line in self.stdout), within, "was not ready"
        )

    async def wait_line(
        self, pattern: str, within: float = HANGS_AFTER, after: int = 0
    ) -> re.Match[str]:
        """Wait for a line on standard error and return where `pattern` was found in it.

        Args:
            pattern: A regular expression.
            within: Seconds to wait.
            after: How many of the first lines, `len(cluster.lines)` at some time, not to look at.
        """

        def matches() -> list[re.Match[str]]:
            return [match for line in self.lines[after:] if (match := re.search(pattern, line))]

        await self._wait(lambda: bool(matches()), within, f"did not say {pattern!r}")
        return matches()[0]

    async def wait_restarted(self, name: str, old_pid: int, within: float = HANGS_AFTER) -> int:
        """Wait until process `name` runs with another pid than `old_pid`, and return that."""
        started = re.compile(rf" {name} started \(pid (\d+)\)")

        def later_pids() -> list[int]:
            pids = [int(match[1]) for line in self.lines if (match := started.search(line))]
            return pids[pids.index(old_pid) + 1 :] if old_pid in pids else []

        await self._wait(lambda: bool(later_pids()), within, f"did not start {name} again")
        return later_pids()[-1]

    async def wait_ended(self, within: float = HANGS_AFTER) -> int:
        """Wait until the cluster has ended by itself, and return its exit code."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                await asyncio.gather(*self._readers)
                return await self._process.wait()
        except TimeoutError as error:
            raise ClusterError(self._report("did not end")) from error

    async def stop(
        self, number: signal.Signals = signal.SIGTERM, within: float = HANGS_AFTER
    ) -> int:
        """Send the cluster a signal, wait until it has ended, and return its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.wait_ended(within)

    async def __aenter__(self) -> Self:
        await self.start()
        try:
            await self.wait_ready()
        except BaseException:
            await self._clear_away()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._clear_away()

    async def _clear_away(self) -> None:
        try:
            if self._process is not None and self._process.returncode is None:
                await self._end()
        finally:
            for reader in self._readers:
                reader.cancel()
            if self._own_folder is not None:
                shutil.rmtree(self._own_folder, ignore_errors=True)

    async def _end(self) -> None:
        try:
            await self.stop()
        except ClusterError:
            assert self._process is not None
            left = [int(file.read_text()) for file in (self.data_dir / "run").glob("*.pid")]
            self._process.kill()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise

    async def _collect(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        async for line in stream:
            lines.append(line.decode(errors="replace").rstrip("\n"))
            self._changed.set()
        self._changed.set()

    async def _wait(self, happened: Callable[[], bool], within: float, failure: str) -> None:
        """Wait until something `happened` to the lines; fail early if the cluster has ended."""
        try:
            async with asyncio.timeout(within):
                while not happened():
                    if all(reader.done() for reader in self._readers):
                        raise ClusterError(self._report(f"{failure}, it has ended"))
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise ClusterError(self._report(f"{failure} within {within:g} s")) from error

    def _report(self, failure: str) -> str:
        return "\n    ".join([f"the cluster {failure}; it said at last:", *self.lines[-40:]])


def _offsets(gateways: int, persisters: int) -> tuple[int, ...]:
    """Return how far above PORT the other ports of a cluster are."""
    plan = (range(gateways + 1), (500,), range(1000, 1001 + gateways))
    return tuple(itertools.chain(*plan, range(1101, 1101 + persisters)))
