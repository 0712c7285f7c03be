"""A client in the test's own process, which keeps the frames that its connection sends."""

import asyncio
import json
from typing import Any

from gateway.connections.connection import Connection
from gateway.connections.flusher import Flusher
from gateway.connections.intake import Intake
from gateway.protocols.json_frames import JSON
from gateway.protocols.websocket_frames import payloads
from gateway.rooms.client import Client


class Ear:
    """A link that keeps a connection's frames in a list."""

    def __init__(self, flusher: Flusher) -> None:
        """Connect.

        Attributes:
            client: the client, as the gateway knows it.

        Args:
            flusher: the one of the hub that is to be heard.
        """
        self.writable = self.low = True
        self.intake: Intake | None = None
        self.connection = Connection(JSON, self, flusher, "gw", 1_000_000)
        self.connection.accept(self.close)
        self.client = Client(self.connection)
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(self) -> Any:  # noqa: ANN401 - a decoded frame
        """Wait for the next frame, and return it decoded."""
        return json.loads(await self._frames.get())

    def write(self, frames: list[bytes]) -> None:
        """Keep frames."""
        for framed in frames:
            for payload in payloads(framed):
                self._frames.put_nowait(payload)

    def close(self, code: int, reason: str = "") -> None:
        """Nothing more comes."""

    def abort(self) -> None:
        """Nothing more comes."""
