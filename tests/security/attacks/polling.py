"""Attackers that speak Socket.IO over requests of HTTP."""

import asyncio
import contextlib
import itertools
import json

from tests.security.attacks.attack import Fared, Order


async def flood_by_polling(
    order: Order,
    token: str,
    sent: tuple[list[bytes], list[bytes]],
    fared: Fared,
) -> None:
    """Open a session and post to it in a loop, while what it is sent is polled.

    Args:
        order: what the attackers are told.
        token: what CONNECT shows; empty for none.
        sent: the bodies to begin with, and those to post in a loop.
        fared: how they fared.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", order.port)
    polling: asyncio.Task[None] | None = None
    try:
        query = "/socket.io/?EIO=4&transport=polling"
        answer = await _ask(order, reader, writer, "GET", query)
        if answer is None or not answer.startswith(b"0{"):
            fared.ended["handshake refused"] += 1
            return
        fared.opened += 1
        session = f"{query}&sid={json.loads(answer[1:])['sid']}"
        if token:
            connect = b"40" + json.dumps({"token": token}).encode()
            await _ask(order, reader, writer, "POST", session, connect)
        if order.attack.reads:
            polling = asyncio.create_task(_poll(order, session))
        for piece in itertools.chain(sent[0], itertools.cycle(sent[1])):
            if await _ask(order, reader, writer, "POST", session, piece) is None:
                fared.ended["session ended"] += 1
                return
            fared.sent += len(piece)
            fared.pieces += 1
    finally:
        writer.transport.abort()
        if polling is not None:
            polling.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
                await polling


async def _poll(order: Order, session: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", order.port)
    try:
        while await _ask(order, reader, writer, "GET", session) is not None:
            pass
    finally:
        writer.transport.abort()


async def _ask(
    order: Order,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    body: bytes = b"",
) -> bytes | None:
    """The body of the answer; None for a refusal."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {order.address}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    told = await reader.readexactly(size)
    return told if answer.startswith(b"http/1.1 200") else None
