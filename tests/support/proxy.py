"""A TCP proxy that causes network faults when a test asks for them."""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from tests.support.ports import free_port

Direction = Literal["up", "down"]
"""To the server, or to the client."""

MOST = 65_536
"""Bytes passed on at a time."""


class Proxy:
    """Stands between a client and a server on loopback.

    Attributes:
        swallowed: set once something with the needle was not passed on.
        answered: set once something the server said is being held.
        reached: set once something is held that `hold_before` was told of.
        delay: seconds that each piece waits, either way.
        replies_lost: how many replies were dropped so far.
        taken: how many connections were taken so far.
    """

    def __init__(self, upstream_port: int) -> None:
        """Prepare.

        Args:
            upstream_port: the server's.
        """
        self.port = free_port()
        self.swallowed = asyncio.Event()
        self.answered = asyncio.Event()
        self.reached = asyncio.Event()
        self.delay = 0.0
        self.replies_lost = 0
        self.taken = 0
        self._upstream_port = upstream_port
        self._needle: bytes | None = None
        self._ready: Callable[[], bool] = bool
        self._hold_needle: bytes | None = None
        self._before_needle: bytes | None = None
        self._lose_needle: bytes | None = None
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.let_go()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pairs: set[_Pair] = set()

    @property
    def url(self) -> str:
        """The proxy's address as the URL of a Redis."""
        return f"redis://127.0.0.1:{self.port}/0"

    def swallow_after(self, needle: bytes, ready: Callable[[], bool]) -> None:
        """From the first piece on that holds `needle` while `ready`, pass nothing to the server."""
        self._needle, self._ready = needle, ready

    def hold_after(self, needle: bytes) -> None:
        """From the first piece on that holds `needle`, pass nothing to clients."""
        self._hold_needle = needle

    def hold_before(self, needle: bytes) -> None:
        """From the first piece on that holds `needle`, pass nothing to the server."""
        self._before_needle = needle
        self.reached.clear()

    def lose_replies(self, needle: bytes | None) -> None:
        """Pass on data with `needle`, drop the answer, and cut the connection; None ends this."""
        self._lose_needle = needle

    def hold(self, *directions: Direction) -> None:
        """Hold back data in these directions until `let_go`."""
        for direction in directions or ("down",):
            self._open[direction].clear()

    def let_go(self) -> None:
        """Pass on the data held back, and everything from now on."""
        self._before_needle = None
        for way in self._open.values():
            way.set()

    def switch(self, upstream_port: int, *, cut: bool = True) -> None:
        """Connect to another server from now on, as after a failover.

        Args:
            upstream_port: the server's.
            cut: cut the connections there are; else they stay with the server before.
        """
        self._upstream_port = upstream_port
        if cut:
            self.cut()

    def cut(self) -> None:
        """Reset every connection, and drop the data held back."""
        for pair in list(self._pairs):
            pair.abort()

    async def refuse(self) -> None:
        """Refuse new connections; existing ones go on."""
        assert self._server is not None
        self._server.close()

    async def admit(self) -> None:
        """Undo `refuse`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def __aenter__(self) -> Self:
        await self.admit()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.refuse()
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
        self.taken += 1
        pair = _Pair(writer, up_writer)
        self._pairs.add(pair)
        for work in (self._up(reader, pair), self._down(up_reader, pair)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader, pair: "_Pair") -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(MOST):
                if self._needle is not None and self._needle in data and self._ready():
                    self.swallowed.set()
                if self._hold_needle is not None and self._hold_needle in data:
                    self._hold_needle = None
                    self.hold()
                if self._before_needle is not None and self._before_needle in data:
                    self._before_needle = None
                    self.hold("up")
                    self.reached.set()
                if self._lose_needle is not None and self._lose_needle in data:
                    pair.loses_reply = True
                await self._wait("up")
                if not self.swallowed.is_set():
                    pair.server.write(data)
                    await pair.server.drain()
        self._end(pair)

    async def _down(self, reader: asyncio.StreamReader, pair: "_Pair") -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(MOST):
                if pair.loses_reply:
                    self.replies_lost += 1
                    break
                if not self._open["down"].is_set():
                    self.answered.set()
                await self._wait("down")
                pair.client.write(data)
                await pair.client.drain()
        self._end(pair)

    async def _wait(self, direction: Direction) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._open[direction].wait()

    def _end(self, pair: "_Pair") -> None:
        self._pairs.discard(pair)
        pair.abort()


class _Pair:
    """The two connections that the proxy joins."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.loses_reply = False

    def abort(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()
