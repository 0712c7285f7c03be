"""A client's session: from its first frame to its last, whatever carries them."""

import asyncio
from typing import Final

from gateway.api import lifecycle
from gateway.api.dispatcher import Dispatcher
from gateway.api.gateway import Gateway
from gateway.connections.connection import Connection
from gateway.connections.link import Link
from gateway.connections.websocket import PendingWork
from gateway.protocols.frames import Format
from gateway.rooms.client import Client
from gateway.rooms.losses import lagged
from shared.errors import ChatError
from shared.protocol.closes import CloseCode

MAX_UNANSWERED_SENDS: Final = 256
"""Sends of one client that may wait for the broker; beyond, no more is read from it."""


class ClientSession:
    """Handles a client's frames in order, and sees to its end.

    Attributes:
        client: the client.
        accepted: whether it was let in.
    """

    __slots__ = (
        "_closing",
        "_dispatcher",
        "_gateway",
        "_link",
        "_text",
        "_under_way",
        "accepted",
        "client",
    )

    def __init__(self, gateway: Gateway, wire: Format, link: Link, address: str) -> None:
        """Begin.

        Args:
            gateway: where the client is connected.
            wire: the format that it speaks.
            link: what carries its frames, and is closed at its end.
            address: where it comes from.
        """
        settings, flusher = gateway.settings, gateway.clients.flusher
        connection = Connection(wire, link, flusher, settings.gateway_name, settings.outbox_limit)
        self.client = client = Client(connection, address)
        self.accepted = False
        self._gateway = gateway
        self._link = link
        self._text = wire.text
        self._dispatcher = Dispatcher(gateway, client)
        # What the client asked for last, where it has to be waited for.
        self._under_way: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        connection.set_lagged_frames(lambda: lagged(gateway.rooms.hub.rooms_of(client).values()))

    def accept(self) -> None:
        """Let frames leave from now on."""
        self.accepted = True
        self.client.connection.accept(self._end)

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Take a message of a WebSocket whose messages are the client's frames."""
        if text != self._text:
            kind = "text" if self._text else "binary"
            error = ChatError("bad_frame", f"frames here are {kind} frames")
            self.client.connection.refuse(None, error)
            return None
        return self.take(data)

    def writable(self) -> None:
        """The link takes more again."""
        self.client.connection.flush()

    def take(self, frame: object) -> PendingWork | None:
        """Handle a frame, as the client's format reads it.

        Returns:
            None once it is handled, or what is to be awaited before the next frame.
        """
        later = self._dispatcher.dispatch(frame)
        if later is None and self._dispatcher.under_way < MAX_UNANSWERED_SENDS:
            return None
        return self.do(self._finish(later))

    async def do(self, work: PendingWork) -> None:
        """Do something that ends with the client: a join under way must not enter a room later."""
        task = self._under_way = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._under_way = None
        if not task.cancelled() and (error := task.exception()):
            raise error

    def lost(self, *, goodbye: bool = False) -> None:
        """Let the client go, once what it asked for last has ended.

        Args:
            goodbye: it said that it leaves.
        """
        self.client.connection.mark_gone()
        if self._closing is not None:
            self._closing.cancel()
        if self._under_way is None:
            self._disconnected(goodbye=goodbye)
        else:
            self._under_way.cancel()
            self._under_way.add_done_callback(lambda _: self._disconnected(goodbye=goodbye))

    def _disconnected(self, *, goodbye: bool) -> None:
        lifecycle.disconnected(self._gateway, self.client, goodbye=goodbye)

    async def _finish(self, later: PendingWork | None) -> None:
        if later is not None:
            await later
        await self._dispatcher.wait_until_fewer_than(MAX_UNANSWERED_SENDS)

    def _end(self, code: CloseCode) -> None:
        self._closing = asyncio.create_task(self._close(code))

    async def _close(self, code: CloseCode) -> None:
        await self._dispatcher.wait_until_fewer_than(1)
        await self.client.connection.wait_until_empty()
        self._link.close(code)
