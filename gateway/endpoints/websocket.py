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
from shared.telemetry import logger

log = logger(__name__)

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
    tasks = [
        asyncio.create_task(work)
        for work in (
            _read(websocket, connection, Dispatcher(services, connection)),
            _write(websocket, connection),
            _fall_behind(websocket, connection),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        people.went(services, connection)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("connection failed", sid=connection.sid, exc_info=ended)


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


async def _fall_behind(websocket: WebSocket, connection: Connection) -> None:
    """End a connection that does not read; the close may not get through either."""
    await connection.fell_behind.wait()
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(1.0):
            await websocket.close(CloseCode.TRY_LATER, "too slow")
