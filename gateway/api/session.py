"""A client's session, from its first frame to its last, independent of the transport."""

import asyncio
from typing import Final

from gateway.api import lifecycle
from gateway.api.dispatcher import Dispatcher
from gateway.api.gateway import Gateway
from gateway.connections.connection import Connection
from gateway.connections.link import Link, PendingWork
from gateway.protocols.frames import Format
from gateway.protocols.request_ids import find_id
from gateway.rooms.client import Client
from gateway.rooms.losses import lagged
from shared.errors import ChatError
from shared.protocol.closes import CloseCode

MAX_UNANSWERED_SENDS: Final = 256
"""Sends of one client that may wait for the broker; at this number no more frames are read."""


class ClientSession:
    """Handles a client's frames in order, and the end of its connection.

    Attributes:
        client: the client, with its connection.
        accepted: True once frames may be sent to the client.
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
        """Begin the session of a client that is not accepted yet.

        Args:
            gateway: the gateway that the client is connected to.
            wire: the wire format of the client's frames.
            link: carries the frames; closed at the end of the session.
            address: the client's network address.
        """
        settings, flusher = gateway.settings, gateway.clients.flusher
        connection = Connection(wire, link, flusher, settings.gateway_name, settings.outbox_limit)
        proven = gateway.access.identity.required
        self.client = client = Client(connection, address, proven=proven)
        self.accepted = False
        self._gateway = gateway
        self._link = link
        self._text = wire.text
        self._dispatcher = Dispatcher(gateway, client, link.intake)
        # The action that the next frame waits for.
        self._under_way: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        connection.set_lagged_frames(lambda: lagged(gateway.rooms.hub.rooms_of(client).values()))

    def accept(self) -> None:
        """Let frames be sent to the client from now on."""
        self.accepted = True
        self.client.connection.accept(self._end)

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Handle a message of a WebSocket that carries one frame in each message."""
        if text != self._text:
            kind = "text" if self._text else "binary"
            error = ChatError("bad_frame", f"this connection takes {kind} frames only")
            self._dispatcher.refuse_frame(find_id(data), error)
            return None
        return self.take(data)

    def unreadable(self, data: bytes) -> None:
        """Answer a text that is not UTF-8, before its connection is closed because of it."""
        if (request := find_id(data)) is not None:
            self._dispatcher.refuse_frame(request, ChatError("bad_frame", "the text is not UTF-8"))
            self.client.connection.flush()

    def writable(self) -> None:
        """Send what waits in the outbox, as the link takes more again."""
        self.client.connection.flush()

    def take(self, frame: object) -> PendingWork | None:
        """Handle a frame, in the form that the client's format parses.

        Returns:
            None once the frame is handled, or a coroutine to await before the next frame.
        """
        pending = self._dispatcher.dispatch(frame)
        if pending is None and self._dispatcher.under_way < MAX_UNANSWERED_SENDS:
            return None
        return self.do(self._finish(pending))

    async def do(self, work: PendingWork) -> None:
        """Run work that is cancelled when the client disconnects.

        Otherwise a join that is under way would make a client a member after it was removed, and
        the room would keep it for ever.
        """
        task = self._under_way = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._under_way = None
        if not task.cancelled() and (error := task.exception()):
            raise error

    def lost(self, *, goodbye: bool = False) -> None:
        """End the session of a disconnected client, once its running action has ended.

        Args:
            goodbye: True if the client said that it leaves.
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

    async def _finish(self, pending: PendingWork | None) -> None:
        if pending is not None:
            await pending
        await self._dispatcher.wait_until_fewer_than(MAX_UNANSWERED_SENDS)

    def _end(self, code: CloseCode) -> None:
        self._closing = asyncio.create_task(self._close(code))

    async def _close(self, code: CloseCode) -> None:
        await self._dispatcher.wait_until_fewer_than(1)
        await self.client.connection.wait_until_empty()
        self._link.close(code)
