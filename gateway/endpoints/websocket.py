"""`/ws`: JSON or MessagePack frames over a WebSocket (RFC 6455)."""

import asyncio
import contextlib

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.close_codes import CloseCode
from gateway.connection import Connection
from gateway.dispatcher import Dispatcher
from gateway.handlers import people
from gateway.protocols.frames import Format
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.services import Services
from shared.errors import ChatError
from shared.model.commands import SetUsername

FORMATS: dict[str, Format] = {wire.name: wire for wire in (JSON, MSGPACK)}


async def chat(websocket: WebSocket) -> None:
    """Take a client in, and stay with it until it goes."""
    services: Services = websocket.app.state.services
    offered = websocket.scope.get("subprotocols", [])
    chosen = next((name for name in offered if name in FORMATS), None)
    settings = services.settings
    connection = Connection(
        FORMATS[chosen] if chosen else JSON, settings.gateway_name, settings.outbox_limit
    )
    await websocket.accept(subprotocol=chosen)
    _bind(connection, websocket.query_params.get("username"))
    people.came(services, connection)
    writing = asyncio.create_task(_write(websocket, connection))
    try:
        await _read(websocket, connection, Dispatcher(services, connection))
    finally:
        people.went(services, connection)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing


def _bind(connection: Connection, username: str | None) -> None:
    """Take the name of the query; one that is no name is answered and not taken."""
    if not username:
        return
    try:
        connection.bind(msgspec.convert({"username": username}, SetUsername).username)
    except msgspec.ValidationError as error:
        connection.refuse(None, ChatError("bad_request", f"username: {error}"))


async def _read(websocket: WebSocket, connection: Connection, dispatcher: Dispatcher) -> None:
    while True:
        received = await websocket.receive()
        if received["type"] == "websocket.disconnect":
            return
        text, data = received.get("text"), received.get("bytes")
        if connection.wire.text != (text is not None):
            kind = "text" if connection.wire.text else "binary"
            connection.refuse(None, ChatError("bad_frame", f"frames here are {kind} frames"))
            continue
        await dispatcher.dispatch(text.encode() if text is not None else data or b"")


async def _write(websocket: WebSocket, connection: Connection) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            for frame in await connection.unsent():
                if connection.wire.text:
                    await websocket.send_text(frame.decode())
                else:
                    await websocket.send_bytes(frame)
                connection.sent(frame)
            if connection.lagging:
                await websocket.close(CloseCode.TRY_LATER, "too slow")
                return
