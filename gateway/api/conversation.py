"""One client from its first frame to its last: what it says in order, and how it ends."""

import asyncio
from collections import deque
from functools import partial
from typing import Final, Protocol

from gateway.api.dispatcher import Dispatcher
from gateway.api.handlers import people
from gateway.api.handlers.authentication import late
from gateway.api.outcome import Later
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.connections.link import Link
from gateway.protocols.close_codes import CloseCode
from shared.errors import ChatError

MOST_UNDER_WAY: Final = 256
"""Sends of one connection that may wait for the broker; beyond, no more is read from it."""


class ReadingLink(Link, Protocol):
    """A link that can be told to read no more for a while."""

    def pause(self) -> None:
        """Read nothing more for now."""

    def resume(self) -> None:
        """Read again."""


class Conversation:
    """Brings a connection's frames to its dispatcher, each after the one before is handled.

    There is a task only while a frame has to wait for something.
    """

    __slots__ = (
        "_closing",
        "_dispatcher",
        "_frames",
        "_link",
        "_services",
        "_task",
        "connection",
    )

    def __init__(self, services: Services, connection: Connection, link: ReadingLink) -> None:
        """Take a client in.

        Args:
            services: the parts of the gateway.
            connection: of the client.
            link: what its frames come from.
        """
        self.connection = connection
        self._services = services
        self._link = link
        self._dispatcher = Dispatcher(services, connection)
        self._frames: deque[bytes] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        connection.on_end = self._end
        if connection.entrance is None:
            people.came(services, connection)
        else:
            services.deadlines.expect(connection, partial(late, services, connection))

    def received(self, data: bytes, *, text: bool) -> None:
        """Take a frame."""
        if text != self.connection.wire.text:
            kind = "text" if self.connection.wire.text else "binary"
            self.connection.refuse(None, ChatError("bad_frame", f"frames here are {kind} frames"))
        elif self._task is not None:
            self._frames.append(data)
        elif self._dispatcher.under_way >= MOST_UNDER_WAY:
            self._frames.append(data)
            self._task = asyncio.create_task(self._go_on(None))
        elif later := self._dispatcher.dispatch(data):
            self._task = asyncio.create_task(self._go_on(later))

    def writable(self) -> None:
        """The link takes more again."""
        self.connection.flush()

    def lost(self) -> None:
        """Let the client go, once what it asked for last has ended.

        A join that was under way must not enter a room after this.
        """
        self._frames.clear()
        self.connection.gone()
        if self._closing is not None:
            self._closing.cancel()
        if self._task is None:
            people.went(self._services, self.connection)
        else:
            self._task.cancel()
            self._task.add_done_callback(lambda _: people.went(self._services, self.connection))

    async def _go_on(self, later: Later | None) -> None:
        """Handle frames for as long as one has to wait; meanwhile no more are read."""
        self._link.pause()
        if later is not None:
            await later
        while self._frames:
            await self._dispatcher.fewer_than(MOST_UNDER_WAY)
            if later := self._dispatcher.dispatch(self._frames.popleft()):
                await later
        self._task = None
        self._link.resume()

    def _end(self, code: CloseCode) -> None:
        self._closing = asyncio.create_task(self._close(code))

    async def _close(self, code: CloseCode) -> None:
        await self._dispatcher.fewer_than(1)
        await self.connection.emptied()
        self._link.close(code)
