"""The echo applications of the conformance server."""

import asyncio
from typing import Any

from starlette.types import Scope
from starlette.websockets import WebSocket

from gateway.connections.websocket import ADOPT, WebSocketLink
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.engineio.packets import Binary, PacketType
from gateway.protocols.socketio.decoder import SocketPacket
from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from tests.conformance.sockets import NAMESPACES, Socket

BETWEEN = 0.06
"""Seconds between the answer to a CONNECT and the `auth` event.

The public suite listens for one message at a time, and misses a second one that its WebSocket
client reads together with the first. Nothing overtakes the event: its session is not read on.
"""


async def echo_websocket(websocket: WebSocket) -> None:
    """Answer every message with itself."""
    await websocket.accept()
    websocket.scope["extensions"][ADOPT](Echo)


class Echo:
    """Writes what it receives."""

    def __init__(self, link: WebSocketLink) -> None:
        self._link = link

    def received(self, data: bytes, *, text: bool) -> None:
        """Echo."""
        self._link.write([frame(TEXT if text else BINARY, data)])

    def unreadable(self, data: bytes) -> None:
        """Leave it unanswered."""

    def writable(self) -> None:
        """Nothing waits."""

    def lost(self) -> None:
        """Nothing to clear."""


class EngineEcho:
    """Answers every Engine.IO message with itself."""

    def on_open(self, session: EngineSession, scope: Scope) -> None:
        """Nothing to prepare."""

    def on_packet(self, session: EngineSession, message: str | Binary) -> None:
        """Echo."""
        if isinstance(message, str):
            session.send((PacketType.MESSAGE + message).encode())
        else:
            session.send(message)

    def on_close(self, session: EngineSession, reason: str) -> None:
        """Nothing to clear."""


class SocketIOEcho:
    """Echoes events and acknowledgements, and each CONNECT's payload."""

    async def on_connect(
        self,
        session: EngineSession,  # noqa: ARG002 - the protocol's
        socket: Socket,
        auth: dict[str, Any],
    ) -> None:
        """Accept the two namespaces there are."""
        if socket.namespace not in NAMESPACES:
            socket.refuse("Invalid namespace")
            return
        socket.accept()
        await asyncio.sleep(BETWEEN)
        socket.emit("auth", auth)

    def on_event(
        self,
        session: EngineSession,  # noqa: ARG002 - the protocol's
        socket: Socket,
        packet: SocketPacket,
    ) -> None:
        """Echo what `/` is to echo."""
        if socket.namespace != "/":
            return
        if packet.name == "message":
            socket.emit("message-back", *packet.values())
        elif packet.name == "message-with-ack":
            socket.acknowledge(packet.id, *packet.values())

    def on_disconnect(self, session: EngineSession, socket: Socket, reason: str) -> None:
        """Nothing to clear."""
