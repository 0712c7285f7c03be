"""A client's connection: what waits to be written to it, and how it ends."""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, Final

from msgspec import UNSET

from gateway.connections.flusher import Flusher
from gateway.connections.link import Link
from gateway.protocols.frames import Format, Outgoing, RequestId
from gateway.protocols.refusals import ERRORS
from shared.errors import ChatError
from shared.metrics import Counter
from shared.protocol.closes import CloseCode

MAX_WRITE_BYTES: Final = 65_536
"""Bytes handed to the wire at a time, so that no more than this waits uncounted."""

CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds a client that fell behind has to take what waits for it."""

LOW_WATER_DIVISOR: Final = 4
"""A connection takes more of a long answer once the outbox is below one part in so many."""

LAGGED: Final = Counter("lagged", "Clients dropped because they did not read.")


class State(IntEnum):
    """The life of a connection; it only moves on.

    Attributes:
        OPENING: what is pushed waits until the client is accepted.
        OPEN: what is pushed leaves at the end of the turn.
        CLOSING: it is closed once its requests are answered and what waits is written.
        LAGGED: the client did not read: what is pushed is dropped, and it is being closed.
        GONE: the client is not there any more.
    """

    OPENING = 0
    OPEN = 1
    CLOSING = 2
    LAGGED = 3
    GONE = 4


OPENING: Final = State.OPENING
"""Here because members of an Enum are slow to look up, and `flush` is called for each delivery."""


class Connection:
    """A client's connection, whatever it speaks.

    Attributes:
        sid: its id, unique in the cluster.
        wire: the format it speaks.
        state: where it stands.
        dropping: whether what is pushed is dropped, because the client lags or is gone.
        fell_behind: it did not read what it was sent, and so does not have all of it.
    """

    __slots__ = (
        "_close",
        "_flusher",
        "_lacks",
        "_limit",
        "_link",
        "_outbox",
        "_unsent",
        "_waiting",
        "dropping",
        "fell_behind",
        "sid",
        "state",
        "wire",
    )

    def __init__(
        self, wire: Format, link: Link, flusher: Flusher, gateway_name: str, outbox_limit: int
    ) -> None:
        """Begin.

        Args:
            wire: the format it speaks.
            link: what carries its frames.
            flusher: of the gateway.
            gateway_name: where it is connected.
            outbox_limit: bytes that may wait for it.
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
        self._waiting: list[asyncio.Future[None]] | None = None
        self._close: Callable[[CloseCode], None] = _nothing_to_close
        self._lacks: Callable[[], Iterable[Outgoing]] = tuple

    @property
    def all_sent(self) -> bool:
        """Whether the link has everything."""
        return not self._outbox and self._flusher.deferred is None

    def accept(self, close: Callable[[CloseCode], None]) -> None:
        """Let frames leave from now on.

        Args:
            close: closes it with a code, once what it asked for is answered; called at most once.
        """
        self._close = close
        if self.state is State.OPENING:
            self.state = State.OPEN
            if self._outbox:
                self._flusher.add(self)

    def set_lagged_frames(self, lacks: Callable[[], Iterable[Outgoing]]) -> None:
        """Set what a client is told that did not read: the frames `lacks` returns then."""
        self._lacks = lacks

    def push(self, packed: bytes, *, sheddable: bool = False) -> None:
        """Put a finished frame into the outbox.

        Args:
            packed: as this connection's format packs it.
            sheddable: it is worth nothing to a client that lags: dropped when the outbox is
                half full.
        """
        if self._flusher.deferred is not None:
            self._flusher.release_deferred()
        unsent = self._unsent
        if self.dropping or (sheddable and unsent > self._limit // 2):
            return
        if unsent > self._limit:
            # What waits already is too much; one large frame by itself is not.
            self._fall_behind()
            return
        if not unsent:
            self._flusher.add(self)
        self._outbox.append(packed)
        self._unsent = unsent + len(packed)

    def push_all(self, frames: list[bytes], size: int) -> None:
        """Put what was held for several connections into the outbox.

        Args:
            frames: as this connection's format packs them.
            size: bytes of all of them.
        """
        if self.dropping:
            return
        unsent = self._unsent
        if unsent > self._limit:
            self._fall_behind()
            return
        if not unsent:
            self._flusher.add(self)
        self._outbox += frames
        self._unsent = unsent + size

    def emit(self, event: str, data: Any, room: str | None = None, offset: str = "") -> None:  # noqa: ANN401 - any payload
        """Send an event to this client alone."""
        in_room = UNSET if room is None else room
        self.push(self.wire.pack(Outgoing(event, room=in_room, data=data), offset))

    def reply(self, request: RequestId | None, data: Any) -> None:  # noqa: ANN401 - any payload
        """Answer a request; one without an id wants no answer."""
        if request is not None:
            self.push(self.wire.pack(Outgoing("reply", id=request, data=data)))

    def refuse(self, request: RequestId | None, error: ChatError) -> None:
        """Answer a request with an error; one without an id gets it too."""
        ERRORS.add(error.code)
        place = UNSET if request is None else request
        self.push(self.wire.pack(Outgoing("error", id=place, data=error.payload())))

    def end(self, code: CloseCode) -> None:
        """Close it once what was asked of it is answered and sent."""
        if self.state is State.OPEN:
            self.state = State.CLOSING
            self._close(code)

    def abort_in(self, seconds: float) -> None:
        """Drop it after so long, whatever it was not sent."""
        asyncio.get_running_loop().call_later(seconds, self._link.abort)

    def flush(self) -> None:
        """Hand the link what it takes; the rest stays here, where it is counted."""
        if self.state is OPENING:
            return
        link = self._link
        if self._unsent <= MAX_WRITE_BYTES:
            if link.writable and (frames := self._outbox):
                self._outbox, self._unsent = [], 0
                link.write(frames)
        else:
            self._flush_in_parts()
        if self._waiting is not None:
            self._wake()

    async def wait_until_low(self) -> None:
        """Wait until little is unsent, or the client gone: for answers longer than an outbox."""
        while self._unsent * LOW_WATER_DIVISOR > self._limit and self.state is not State.GONE:
            await self._flushed()

    async def wait_until_empty(self) -> None:
        """Wait until nothing is unsent, or the client gone."""
        while self._outbox and self.state is not State.GONE:
            await self._flushed()

    async def wait_until_gone(self) -> None:
        """Wait until the client is gone."""
        while self.state is not State.GONE:
            await self._flushed()

    def mark_gone(self) -> None:
        """The client is gone: nothing is kept for it."""
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
        """Say what it lacks, if it ever reads again, and let it go."""
        LAGGED.value += 1
        was_open = self.state is State.OPEN
        self.state, self.dropping, self.fell_behind = State.LAGGED, True, True
        for frame in self._lacks():
            packed = self.wire.pack(frame)
            self._outbox.append(packed)
            self._unsent += len(packed)
        if was_open:
            self._close(CloseCode.TRY_AGAIN_LATER)
        self.abort_in(CLOSE_TIMEOUT_SECONDS)

    async def _flushed(self) -> None:
        """Wait until something was handed to the link, or the client is gone."""
        flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = [*(self._waiting or ()), flushed]
        await flushed

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for flushed in waiting:
            if not flushed.done():
                flushed.set_result(None)


def _nothing_to_close(_code: CloseCode) -> None:
    """Stands for what closes a connection until it is accepted."""
