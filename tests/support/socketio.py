"""A client of Socket.IO for tests, packet by packet."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


class SocketIO:
    """A client of Socket.IO on a WebSocket, packet by packet."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def connect(self, auth: dict[str, Any]) -> tuple[str, Any]:
        """Connect to the main namespace; return the type and the data of the answer."""
        await self._socket.send("40" + json.dumps(auth))
        answer = await self.next("40", "44")
        return answer[:2], json.loads(answer[2:])

    async def event(self, name: str) -> Any:  # noqa: ANN401 - any payload
        """Wait for an event; return its first argument."""
        return json.loads((await self.next(f'42["{name}"'))[2:])[1]

    async def ask(self, name: str, data: object) -> Any:  # noqa: ANN401 - any payload
        """Send an event; return its acknowledgement."""
        await self.emit(name, data, ack="1")
        return json.loads((await self.next("431"))[3:])[0]

    async def emit(self, name: str, data: object, ack: str = "") -> None:
        """Send an event."""
        await self._socket.send(f"42{ack}{json.dumps([name, data])}")

    async def next(self, *beginnings: str) -> str:
        """Wait for a packet that begins so."""
        while True:
            packet = str(await self._socket.recv())
            if packet == "2":
                await self._socket.send("3")
            elif packet.startswith(beginnings):
                return packet


@asynccontextmanager
async def socketio(url: str, query: str = "", **headers: str) -> AsyncIterator[SocketIO]:
    """An open Engine.IO session, not connected to a namespace yet."""
    address = f"{url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket{query}"
    async with connect(address, additional_headers=headers) as socket:
        yield SocketIO(socket)
