"""Conformance servers, and what talks to them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.ports import free_port
from tests.support.process import Process
from tests.support.waiting import eventually


class Server:
    """A conformance server.

    Attributes:
        address: host and port.
        http: a client of it; redirects are answers.
    """

    def __init__(self, port: int, process: Process) -> None:
        self._process = process
        self.address = f"127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=f"http://{self.address}", timeout=60)

    def logged_no_trace(self) -> bool:
        """Whether nothing that a client sent has led to a stack trace in the log."""
        return not any("Traceback" in line for line in self._process.said)

    async def get(self, path: str, **query: str) -> httpx.Response:
        """GET `/engine.io/` or the like with these parameters beside `EIO` and `transport`."""
        return await self.http.get(path, params={"EIO": "4", "transport": "polling", **query})

    async def post(
        self,
        path: str,
        sid: str,
        body: str | bytes | AsyncIterable[bytes],
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """POST packets to a session."""
        query = {"EIO": "4", "transport": "polling", "sid": sid}
        return await self.http.post(path, params=query, content=body, headers=headers)

    async def open(self, path: str) -> str:
        """Open a session by polling: its sid."""
        opened = await self.get(path)
        assert opened.status_code == 200
        sid: str = json.loads(opened.text[1:])["sid"]
        return sid

    async def poll(self, path: str, sid: str) -> str:
        """Poll: the payload."""
        answer = await self.get(path, sid=sid)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def error(self, path: str, sid: str) -> dict[str, Any]:
        """Poll, which fails: the error."""
        answer = await self.get(path, sid=sid)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"
        refused: dict[str, Any] = answer.json()
        return refused

    @contextlib.asynccontextmanager
    async def websocket(self, path: str, **query: str) -> AsyncIterator[ClientConnection]:
        """Open a WebSocket with these parameters beside `EIO` and `transport`."""
        given = httpx.QueryParams({"EIO": "4", "transport": "websocket", **query})
        url = f"ws://{self.address}{path}?{given}"
        async with connect(url, compression=None, max_size=None) as socket:
            yield socket


UNKNOWN = {"code": 1, "message": "Session ID unknown"}
BAD_REQUEST = {"code": 3, "message": "Bad request"}


async def receive(socket: ClientConnection) -> str | bytes:
    """The next message that is no ping; a ping is answered."""
    async with asyncio.timeout(30):
        while (message := await socket.recv()) == "2":
            await socket.send("3")
        return message


async def until_closed(socket: ClientConnection) -> int | None:
    """Wait for the end of a WebSocket: its close code."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(30):
            while True:
                await socket.recv()
    return socket.close_code


@contextlib.asynccontextmanager
async def serve(*options: str) -> AsyncIterator[Server]:
    """Run a conformance server with these options beside the port."""
    port = free_port()
    async with Process("tests.conformance", {}, "--port", str(port), *options) as process:

        async def listens() -> bool:
            assert not process.ended, process.said
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        await eventually(listens, 60)
        server = Server(port, process)
        async with server.http:
            yield server


@pytest.fixture(scope="package")
async def strict() -> AsyncIterator[Server]:
    """The conformance server as the public suites expect it: silence ends a session in 500 ms."""
    async with serve() as server:
        yield server
        assert server.logged_no_trace()


@pytest.fixture(scope="package")
async def lively() -> AsyncIterator[Server]:
    """One that pings often, and waits long for its pongs."""
    times = ("--ping-interval", "300", "--ping-timeout", "60000", "--connect-timeout", "5000")
    async with serve(*times) as server:
        yield server
        assert server.logged_no_trace()


@pytest.fixture(scope="package")
async def calm() -> AsyncIterator[Server]:
    """One that no test is too slow for."""
    times = ("--ping-interval", "60000", "--ping-timeout", "60000", "--connect-timeout", "60000")
    async with serve(*times) as server:
        yield server
        assert server.logged_no_trace()
