"""A load balancer as it is configured, in front of servers that say who they are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.processes.file_limit import raise_file_limit
from deploy.processes.probes import http_probe, until_all_answer
from deploy.servers.balancer import balancer_process
from deploy.servers.balancer_program import find_balancer
from deploy.settings import parse
from shared.config import Settings as GatewaySettings
from shared.config import load
from tests.integration.deploy.upstream import Upstream
from tests.support.ports import free_port
from tests.support.waiting import HANGS_AFTER

# The handshake that RFC 6455 gives as an example.
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Setup:
    """A load balancer in front of two servers, and a client of it."""

    def __init__(self, plan: PortPlan) -> None:
        self.plan = plan
        self.upstreams = [Upstream(f"gateway-{n}", plan.gateway(n)) for n in (1, 2)]
        self.client = httpx.AsyncClient(base_url=plan.balancer.url, timeout=HANGS_AFTER)
        self.process: asyncio.subprocess.Process | None = None

    async def answers(self, path: str, times: int = 20) -> list[str]:
        """Return what `path` answers to each of several requests; each must succeed."""
        found = []
        for _ in range(times):
            answer = await self.client.get(path)
            assert answer.status_code == 200
            found.append(answer.text)
        return found

    async def until_only(self, name: str) -> None:
        """Wait until the load balancer has noticed that only one server is left."""
        async with asyncio.timeout(HANGS_AFTER):
            while set(await self.answers("/who", times=5)) != {name}:  # noqa: ASYNC110  asks
                await asyncio.sleep(0.05)

    async def until_refused(self) -> None:
        """Wait until the load balancer takes no new connection."""
        async with asyncio.timeout(HANGS_AFTER):
            with contextlib.suppress(ConnectionRefusedError):
                while True:
                    # Which is reset was on its way when nobody listened any more.
                    with contextlib.suppress(ConnectionResetError):
                        _, writer = await asyncio.open_connection(*self.plan.balancer)
                        writer.close()

    async def tunnel(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return an upgraded connection to either server."""
        answer = await self.ask(UPGRADE)
        assert answer.status == 101
        assert answer.writer is not None
        return answer.reader, answer.writer

    async def ask(self, request: bytes, source: str = "127.0.0.1") -> "Answer":
        """Send a request on a connection of its own, from an address of loopback."""
        writer, reader, head = None, asyncio.StreamReader(), b"HTTP/1.1 0"
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            address = self.plan.balancer
            reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
            writer.write(request)
            async with asyncio.timeout(HANGS_AFTER):
                head = await reader.readuntil(b"\r\n\r\n")
        return Answer(int(head.split()[1]), head.decode().lower(), reader, writer)


class Answer(NamedTuple):
    """An answer of a load balancer, and the connection on which it came.

    Attributes:
        status: 0 if the connection was closed without an answer.
        head: in lower case.
    """

    status: int
    head: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter | None

    def close(self) -> None:
        """Hang up."""
        if self.writer is not None:
            self.writer.close()


@contextlib.asynccontextmanager
async def balanced(kind: str, folder: Path, **env: str) -> AsyncIterator[Setup]:
    port = free_port((0, 1, 2, 1000))
    environ = {"LOAD_BALANCER": kind, "PORT": str(port), "DATA_DIR": str(folder), **env}
    settings = parse(environ)
    plan = PortPlan(settings)
    data_dir = DataDir(folder)
    data_dir.claim(plan.balancer.url)
    server = find_balancer(settings)
    files = raise_file_limit()
    rates = load(GatewaySettings, {"RATE_LIMITS": "on", **env})
    spec = balancer_process(server, settings, plan, data_dir, environ, files, rates)
    setup = Setup(plan)
    async with setup.client, setup.upstreams[0], setup.upstreams[1]:
        setup.process = await asyncio.create_subprocess_exec(
            *spec.command, cwd=spec.cwd, env=spec.env
        )
        try:
            await until_all_answer({kind: http_probe(plan.balancer, "/health/ready")}, print)
            yield setup
        finally:
            with contextlib.suppress(ProcessLookupError):
                setup.process.kill()
            await setup.process.wait()
