"""The WebSocket transport of Engine.IO 4: a session's, from the start or after an upgrade."""

import asyncio
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.close_codes import CloseCode
from gateway.endpoints.engineio_session import EngineSession
from gateway.protocols.engineio_packets import Binary, Packet, PacketError, decode_packet
from gateway.protocols.engineio_settings import EngineSettings
from gateway.transport import ABORT

LAST_CHANCE: Final = 2.0
"""Seconds that a client has to take what was written before its session ended."""


async def upgrade(websocket: WebSocket, session: EngineSession, settings: EngineSettings) -> bool:
    """Let an accepted WebSocket take over from polling; if it may not, it is closed."""
    engine = session.engine
    if not engine.begin_upgrade(session.now):
        await websocket.close()
        return False
    try:
        async with asyncio.timeout(settings.upgrade_timeout / 1000):
            while reply := engine.upgrade(await _receive(websocket, settings), session.now):
                await websocket.send_text(reply.decode())
                session.settle()
    except (PacketError, TimeoutError, WebSocketDisconnect):
        engine.upgrade_failed()
        session.settle()
        await _close(websocket, CloseCode.NORMAL)
        return False
    session.settle()
    return True


async def talk(websocket: WebSocket, session: EngineSession, settings: EngineSettings) -> None:
    """Carry a session until it ends."""
    loop = asyncio.get_running_loop()
    abort = websocket.scope["extensions"][ABORT]
    session.drop = lambda: loop.call_later(LAST_CHANCE, abort)
    writing = loop.create_task(_write(websocket, session))
    try:
        while not session.engine.closed:
            await session.receive(await _receive(websocket, settings))
            session.settle()
    except WebSocketDisconnect:
        session.fail("transport close")
    except PacketError:
        session.fail("parse error")
    finally:
        session.fail("transport error")  # unless it has ended by now
        # It writes what waits, and the close frame; and ends at the latest with the connection.
        await asyncio.wait((writing,), timeout=2 * LAST_CHANCE)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _receive(websocket: WebSocket, settings: EngineSettings) -> Packet:
    """Wait for a packet.

    Raises:
        PacketError: what came is none.
        WebSocketDisconnect: the connection has ended.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", CloseCode.NORMAL))
    data: str | bytes = message["text"] if "text" in message else message["bytes"]
    if len(data) > settings.max_payload:
        raise PacketError("larger than maxPayload")
    return decode_packet(data)


async def _write(websocket: WebSocket, session: EngineSession) -> None:
    while True:
        await session.wanted.wait()
        session.wanted.clear()
        for packet in session.engine.take():
            if isinstance(packet, Binary):
                await websocket.send_bytes(packet)
            else:
                await websocket.send_text(packet.decode())
        session.written()
        if session.engine.closed:
            await _close(websocket, CloseCode.NORMAL)
            return


async def _close(websocket: WebSocket, code: int) -> None:
    both = (websocket.client_state, websocket.application_state)
    if both == (WebSocketState.CONNECTED, WebSocketState.CONNECTED):
        await websocket.close(code)
