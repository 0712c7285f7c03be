"""`/ws`: JSON or MessagePack frames over a WebSocket (RFC 6455)."""

import asyncio
import contextlib
from typing import Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.close_codes import CloseCode
from gateway.connection import Connection
from gateway.dispatcher import Dispatcher
from gateway.handlers import people
from gateway.protocols.frames import Format, Outgoing
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.payloads import LaggedPayload
from gateway.services import Services
from gateway.transport import ABORT
from shared.errors import ChatError
from shared.model.commands import SetUsername
from shared.telemetry import logger

LAST_CHANCE: Final = 2.0
"""Seconds a client that fell behind has to take what waits for it."""

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
    connection.durable = websocket.query_params.get("durable") == "1"
    await websocket.accept(subprotocol=chosen)
    if services.readiness.draining:
        await websocket.close(CloseCode.RESTARTING, "this gateway is leaving")
        return
    if websocket.query_params.get("welcome") == "1":
        people.welcome(services, connection)
    _bind(connection, websocket.query_params.get("username"))
    people.came(services, connection)
    dispatcher = Dispatcher(services, connection)
    tasks = [
        asyncio.create_task(work)
        for work in (
            _read(websocket, connection, dispatcher),
            _write(websocket, connection, dispatcher),
            _fall_behind(websocket, connection),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        try:
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.error("connection failed", sid=connection.sid, exc_info=ended)
        finally:
            # Last: a join that was under way must not enter a room after this.
            people.went(services, connection)


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


async def _write(websocket: WebSocket, connection: Connection, dispatcher: Dispatcher) -> None:
    answered = False
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            frames = await connection.unsent()
            for frame in frames:
                if connection.wire.text:
                    await websocket.send_text(frame.decode())
                else:
                    await websocket.send_bytes(frame)
                connection.sent(frame)
            if connection.ending is None:
                continue
            if answered and not frames:
                await websocket.close(connection.ending)
                return
            await dispatcher.finish()
            answered = True
            connection.look_again()


async def _fall_behind(websocket: WebSocket, connection: Connection) -> None:
    """End a connection that does not read: it is told what it lacks, if it ever reads again."""
    await connection.fell_behind.wait()
    connection.last_words(
        [
            Outgoing("lagged", room=name, data=LaggedPayload(name, head))
            for name, head in connection.lagged_at.items()
        ]
    )
    connection.end(CloseCode.TRY_LATER)
    try:
        async with asyncio.timeout(LAST_CHANCE):
            await connection.ended.wait()
    except TimeoutError:
        websocket.scope["extensions"][ABORT]()
