"""A TCP proxy that goes silent at a moment a test chooses."""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.ports import free_port


class Proxy:
    """Stands between a client and a server on loopback.

    Attributes:
        swallowed: set once something with the needle was not passed on.
        answered: set once something the server said is being held.
    """

    def __init__(self, upstream_port: int) -> None:
        """Prepare.

        Args:
            upstream_port: the server's.
        """
        self.port = free_port()
        self.swallowed = asyncio.Event()
        self.answered = asyncio.Event()
        self._upstream_port = upstream_port
        self._needle: bytes | None = None
        self._ready: Callable[[], bool] = bool
        self._hold_needle: bytes | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it stands for a Redis."""
        return f"redis://127.0.0.1:{self.port}/0"

    def swallow_after(self, needle: bytes, ready: Callable[[], bool]) -> None:
        """From the first piece on that holds `needle` while `ready`, pass nothing to the server."""
        self._needle, self._ready = needle, ready

    def hold_after(self, needle: bytes) -> None:
        """From the first piece on that holds `needle`, pass nothing to clients."""
        self._hold_needle = needle

    def hold(self) -> None:
        """Pass nothing on to clients; what the server says waits."""
        self._open.clear()

    def let_go(self) -> None:
        """Pass on what waited, and everything from now on."""
        self._open.set()

    def switch(self, upstream_port: int) -> None:
        """Lead to another server from now on, as a failover does; connections are cut."""
        self._upstream_port = upstream_port
        self.cut()

    def cut(self) -> None:
        """Drop every connection, with what waited."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        for work in (self._up(reader, up_writer), self._down(up_reader, writer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._needle is not None and self._needle in data and self._ready():
                    self.swallowed.set()
                if self._hold_needle is not None and self._hold_needle in data:
                    self._hold_needle = None
                    self.hold()
                if not self.swallowed.is_set():
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not self._open.is_set():
                    self.answered.set()
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
