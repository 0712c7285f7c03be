"""A server that says who it is, for tests of what stands in front of it."""

import asyncio
from types import TracebackType
from typing import Self

from deploy.ports import Address


class Upstream:
    """Answers health checks, and all else with its name; echoes what follows a handshake.

    A `sid` with `unknown` in it is refused, as a gateway refuses a session that it does not have.
    """

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.ready = True
        self.heads: list[str] = []
        self._address = address
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, *self._address)

    def die(self) -> None:
        """End as a killed process does: no more listening, every connection cut."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.die()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                if "unknown" not in head and "upgrade: websocket" in head.lower():
                    writer.write(
                        b"HTTP/1.1 101 Switching Protocols\r\n"
                        b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
                    )
                    while data := await reader.read(1000):
                        writer.write(data)
                    return
                self._answer(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        path = head.split()[1]
        status = "200 OK"
        if path.split("?")[0] == "/health/ready" and not self.ready:
            status = "503 Service Unavailable"
        if "unknown" in path:
            status = "400 Bad Request"
        if not path.startswith("/health"):
            self.heads.append(head)
        body = self.name
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
