"""A server that speaks as much of PostgreSQL's protocol as it takes to refuse a client."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.ports import free_port

TLS_REQUEST = 80_877_103


@asynccontextmanager
async def refusing(code: str, message: str) -> AsyncIterator[int]:
    """Run a server without TLS that answers every login with an error; yield its port.

    Args:
        code: the error's SQLSTATE.
        message: the error's text.
    """
    fields = (b"SFATAL", b"VFATAL", b"C" + code.encode(), b"M" + message.encode())
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    refusal = b"E" + struct.pack("!I", 4 + len(body)) + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _is_tls_request(reader):
                writer.write(b"N")
            writer.write(refusal)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client has gone
        writer.close()

    port = free_port()
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield port


async def _is_tls_request(reader: asyncio.StreamReader) -> bool:
    (size,) = struct.unpack("!I", await reader.readexactly(4))
    (kind,) = struct.unpack("!I", (await reader.readexactly(size - 4))[:4])
    return bool(kind == TLS_REQUEST)
