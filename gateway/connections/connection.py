"""The connection of one client: its outbox, its state, and how it ends.

Everything that a gateway sends goes through here, whatever the protocol: `push` puts finished
bytes into the outbox, `flush` hands them to the link when the turn of the event loop ends.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, Final

from msgspec import UNSET

from gateway.connections.flusher import Flusher
from gateway.connections.link import Link
from gateway.protocols.frames import Format, Outgoing
from gateway.protocols.refusals import ERRORS
from gateway.protocols.request_ids import RequestId
from shared.errors import ChatError
from shared.metrics import Counter
from shared.protocol.closes import CloseCode

MAX_WRITE_BYTES: Final = 65_536
"""Bytes handed to the link at a time. The outbox limit does not count what the link has."""

CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds a client that fell behind has to read its outbox before it is dropped."""

LOW_WATER_DIVISOR: Final = 4
"""A long answer is made once the outbox is below this fraction (1 in 4) of its limit."""

LAGGED: Final = Counter("lagged", "Clients dropped because they did not read.")


class State(IntEnum):
    """The states of a connection, in order. A connection never goes back to an earlier one.

    Attributes:
        OPENING: frames wait in the outbox until the client is accepted.
        OPEN: frames leave at the end of the turn.
        CLOSING: the connection closes once its requests are answered and its outbox is empty.
        LAGGED: the client did not read. New frames are dropped, and the connection is closing.
        GONE: the connection has ended.
    """

    OPENING = 0
    OPEN = 1
    CLOSING = 2
    LAGGED = 3
    GONE = 4


OPENING: Final = State.OPENING
"""A copy for `flush`, which runs for each delivery: members of an Enum are slow to look up."""


class Connection:
    """One client's connection, in any protocol.

    Attributes:
        sid: the connection's id, unique in the cluster.
        wire: the format of its frames.
        state: opening, open, closing, lagged or gone.
        dropping: True if new frames are dropped, because the client lags or is gone.
        fell_behind: True if the client did not read, and so does not have all that it was sent.
    """

    __slots__ = (
        "_close",
        "_flusher",
        "_lagged_frames",
        "_limit",
        "_link",
        "_outbox",
        "_unsent",
        "_waiters",
        "dropping",
        "fell_behind",
        "sid",
        "state",
        "wire",
    )

    def __init__(
        self, wire: Format, link: Link, flusher: Flusher, gateway_name: str, outbox_limit: int
    ) -> None:
        """Create a connection in the state OPENING.

        Args:
            wire: the format of its frames.
            link: carries its frames.
            flusher: the gateway's, which calls `flush`.
            gateway_name: the first part of its sid.
            outbox_limit: bytes that may wait before the client counts as lagged.
        """
        self.wire = wire
        self.sid = f"{gateway_name}.{secrets.token_urlsafe(9)}"
        self.state = State.OPENING
        self.dropping = False
        self.fell_behind = False
        self._link = link
        self._flusher = flusher
        self._limit = outbox_limit
        self._outbox: list[bytes] = []
        self._unsent = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._close: Callable[[CloseCode], None] = _ignore_close
        self._lagged_frames: Callable[[], Iterable[Outgoing]] = tuple

    @property
    def all_sent(self) -> bool:
        """True if the link has every frame."""
        return not self._outbox and self._flusher.deferred is None

    def takes_more(self) -> bool:
        """Hand the link what waits, and return True if little is unread then, here and there."""
        if self._unsent and self._link.writable:
            self.flush()
        return self._unsent * LOW_WATER_DIVISOR <= self._limit and self._link.low

    def accept(self, close: Callable[[CloseCode], None]) -> None:
        """Open the connection: frames leave from now on.

        Args:
            close: closes the connection with a code once the client's requests are answered;
                called at most once.
        """
        self._close = close
        if self.state is State.OPENING:
            self.state = State.OPEN
            if self._outbox:
                self._flusher.add(self)

    def set_lagged_frames(self, make_frames: Callable[[], Iterable[Outgoing]]) -> None:
        """Set the function that makes the last frames of a client that lags."""
        self._lagged_frames = make_frames

    def push(self, packed: bytes, *, sheddable: bool = False) -> None:
        """Put a finished frame into the outbox.

        Args:
            packed: a frame in this connection's format.
            sheddable: True for a frame, such as a typing notice, that is dropped when the outbox
                is more than half full.
        """
        if self._flusher.deferred is not None:
            self._flusher.release_deferred()
        unsent = self._unsent
        if self.dropping or (sheddable and unsent > self._limit // 2):
            return
        if unsent > self._limit:
            if self._is_behind():
                return
            unsent = self._unsent
        if not unsent:
            self._flusher.add(self)
        self._outbox.append(packed)
        self._unsent = unsent + len(packed)

    def push_all(self, frames: list[bytes], size: int) -> None:
        """Put deferred frames into the outbox. Only `DeferredFrames.deliver` calls this.

        Args:
            frames: frames in this connection's format.
            size: bytes of all of them.
        """
        if self.dropping:
            return
        unsent = self._unsent
        if unsent > self._limit:
            if self._is_behind():
                return
            unsent = self._unsent
        if not unsent:
            self._flusher.add(self)
        self._outbox += frames
        self._unsent = unsent + size

    def emit(self, event: str, data: Any, room: str | None = None, offset: str = "") -> None:  # noqa: ANN401 - any payload
        """Send an event to this client alone."""
        in_room = UNSET if room is None else room
        self.push(self.wire.pack(Outgoing(event, room=in_room, data=data), offset))

    def reply(self, request: RequestId | None, data: Any) -> None:  # noqa: ANN401 - any payload
        """Answer a request. A request without an id gets no answer."""
        if request is not None:
            self.push(self.wire.pack(Outgoing("reply", id=request, data=data)))

    def refuse(self, request: RequestId | None, error: ChatError) -> None:
        """Answer a request with an error, also a request without an id."""
        ERRORS.add(error.code)
        request_id = UNSET if request is None else request
        self.push(self.wire.pack(Outgoing("error", id=request_id, data=error.payload())))

    def end(self, code: CloseCode) -> None:
        """Close the connection once the client's requests are answered and the answers sent."""
        if self.state is State.OPEN:
            self.state = State.CLOSING
            self._close(code)

    def abort_in(self, seconds: float) -> None:
        """Drop the connection after these seconds. Unsent frames are lost."""
        asyncio.get_running_loop().call_later(seconds, self._link.abort)

    def _is_behind(self) -> bool:
        """Return True if more waits than the limit and the link takes no more: the client lags."""
        # What was pushed in this turn is not unread yet. Example: 1.2 MB come in one turn for a
        # client that reads. Without this, the end of the turn, when they leave, would be too late.
        self.flush()
        if self._unsent > self._limit:
            self._fall_behind()
        return self.dropping

    def flush(self) -> None:
        """Hand the link as much as it takes. The rest stays in the outbox and counts as unsent."""
        if self.state is OPENING:
            return
        link = self._link
        if self._unsent <= MAX_WRITE_BYTES:
            if link.writable and (frames := self._outbox):
                self._outbox, self._unsent = [], 0
                link.write(frames)
        else:
            self._flush_in_parts()
        if self._waiters is not None:
            self._wake()

    async def wait_until_low(self) -> None:
        """Wait until little is unread, so that a long answer may be made, or the client is gone."""
        while not self.takes_more() and self.state is not State.GONE:
            await self._flushed()

    async def wait_until_empty(self) -> None:
        """Wait until the outbox is empty or the client is gone."""
        while self._outbox and self.state is not State.GONE:
            await self._flushed()

    async def wait_until_gone(self) -> None:
        """Wait until the client is gone."""
        while self.state is not State.GONE:
            await self._flushed()

    def mark_gone(self) -> None:
        """Record that the connection has ended, and drop the outbox."""
        self.state, self.dropping = State.GONE, True
        self._outbox = []
        self._unsent = 0
        self._wake()

    def _flush_in_parts(self) -> None:
        link = self._link
        while self._outbox and link.writable:
            count = size = 0
            for packed in self._outbox:
                count, size = count + 1, size + len(packed)
                if size >= MAX_WRITE_BYTES:
                    break
            part, self._outbox = self._outbox[:count], self._outbox[count:]
            self._unsent -= size
            link.write(part)

    def _fall_behind(self) -> None:
        """Put the last frames behind what waits, and close the connection.

        A client that reads again within the timeout learns from them where to resume.
        """
        LAGGED.value += 1
        was_open = self.state is State.OPEN
        self.state, self.dropping, self.fell_behind = State.LAGGED, True, True
        for frame in self._lagged_frames():
            packed = self.wire.pack(frame)
            self._outbox.append(packed)
            self._unsent += len(packed)
        if was_open:
            self._close(CloseCode.TRY_AGAIN_LATER)
        self.abort_in(CLOSE_TIMEOUT_SECONDS)

    async def _flushed(self) -> None:
        """Wait for the next flush, or until the client is gone."""
        flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters = [*(self._waiters or ()), flushed]
        await flushed

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters or [], None
        for flushed in waiters:
            if not flushed.done():
                flushed.set_result(None)


def _ignore_close(_code: CloseCode) -> None:
    """Do nothing: the `close` of a connection that is not accepted yet."""
