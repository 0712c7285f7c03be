"""A relay of WebSocket frames that loses what a test wants to be lost."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.ports import free_port

JSON = Subprotocol("chat.json")
Frame = dict[str, Any]


def all_frames(_frame: Frame) -> bool:
    return True


class Relay:
    """Stands between clients and a gateway.

    Attributes:
        to_server: which frames of a client are passed on; it may change them.
        to_client: which frames of the server are passed on; it may change them.
        seen: frames of clients that came, of all connections.
    """

    def __init__(self, gateway: str) -> None:
        self.to_server: Callable[[Frame], bool] = all_frames
        self.to_client: Callable[[Frame], bool] = all_frames
        self.seen: list[Frame] = []
        self.port = free_port()  # kept while it does not listen
        self._target = gateway.replace("http", "ws", 1)
        self._server: Server | None = None
        self._connections: set[ServerConnection] = set()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Begin to listen, each time on the same port."""
        self._server = await serve(
            self._relay,
            "127.0.0.1",
            self.port,
            subprotocols=[JSON],
            select_subprotocol=lambda _, offered: JSON if JSON in offered else None,
            max_size=None,
        )

    def cut(self) -> None:
        """Break every connection as a dead machine does: without a word."""
        for connection in list(self._connections):
            connection.transport.abort()

    async def shut(self) -> None:
        """Break every connection, and take no other."""
        if self._server is not None:
            self._server.close(close_connections=False)
        self.cut()
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shut()

    async def _relay(self, client: ServerConnection) -> None:
        self._connections.add(client)
        path = client.request.path if client.request else "/ws"
        try:
            async with connect(
                f"{self._target}{path}", subprotocols=[JSON], max_size=None, proxy=None
            ) as server:
                back = asyncio.create_task(self._pass(server, client, "to_client"))
                # A client that waits for an answer sends nothing by which it would notice.
                ending = asyncio.create_task(_end_like(back, server, client))
                with contextlib.suppress(ConnectionClosed):
                    await self._pass(client, server, "to_server")
                back.cancel()
                await ending
        finally:
            self._connections.discard(client)

    async def _pass(self, source: Any, target: Any, direction: str) -> None:  # noqa: ANN401 - either end
        with contextlib.suppress(ConnectionClosed):
            async for text in source:
                frame = json.loads(text)
                if direction == "to_server":
                    self.seen.append(frame)
                passes: Callable[[Frame], bool] = getattr(self, direction)
                if passes(frame):
                    await target.send(json.dumps(frame))


async def _end_like(
    back: "asyncio.Task[None]", server: ClientConnection, client: ServerConnection
) -> None:
    """Once the server has ended a connection, end the client's in the same way."""
    await asyncio.wait([back])
    if (close := server.protocol.close_rcvd) is not None:
        await client.close(close.code, close.reason)
    client.transport.abort()
