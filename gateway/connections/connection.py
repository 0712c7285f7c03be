"""One client: who it is, which rooms it is in, and what it has not been sent yet."""

import asyncio
import math
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from gateway.connections.entrance import Entrance
from gateway.connections.flusher import Flusher
from gateway.connections.link import Link
from gateway.protocols.close_codes import CloseCode
from gateway.protocols.frames import Format, Outgoing, RequestId
from gateway.protocols.payloads import LaggedPayload
from shared.errors import ChatError
from shared.metrics import Counter, LabelledCounter

if TYPE_CHECKING:
    from gateway.connections.visitor import Visitor
    from gateway.rooms.local_room import LocalRoom
    from gateway.rooms.member import Member

MOST_WRITE: Final = 65_536
"""Bytes handed to the wire at a time, so that no more than this waits uncounted."""

LAST_CHANCE: Final = 2.0
"""Seconds a client that fell behind has to take what waits for it."""

CALM: Final = 4
"""A connection takes more of a long answer once the outbox is below one part in so many."""


ERRORS: Final = LabelledCounter("errors", "Requests answered with an error.", "code")
LAGGED: Final = Counter("lagged", "Clients dropped because they did not read.")


class Connection:
    """A client's connection, whatever it speaks.

    Attributes:
        sid: unique in the cluster.
        wire: the format it speaks.
        username: the name bound to it; None until one is.
        entrance: it has to show who it is first; None once it has, or need not.
        expires: when it has to show it again, in seconds since 1970.
        durable: whether it wants to hear when SQL has its messages.
        rooms: the rooms it is in, by name.
        chats: the chats that it resumed, by id; all others of its user reach it as they are.
        hears_chats: whether it hears of its user's chats.
        heard_from: the last seq of each followed chat, by id, when it began to hear of them.
        online: whether it says that its user is online.
        lagging: it did not read what it was sent, or is gone; nothing more is kept for it.
        ended: whether it has gone.
        on_end: closes it with a code, once what it asked for is answered; called at most once.
        fell_behind: it did not read what it was sent.
        placed: the count of the last offset that was written to this client alone.
        must_have: the count of the last offset that it cannot do without elsewhere: it told of the
            end of a place, which its session does not know any more.
        holds_chats: it is coming back: events of chats wait until those before them are there.
        replaced: its client has come back on another connection.
        visitor: where it comes from; None while rates are not limited.
    """

    __slots__ = (
        "_flusher",
        "_limit",
        "_link",
        "_outbox",
        "_unsent",
        "_waiting",
        "chats",
        "durable",
        "ended",
        "entrance",
        "expires",
        "fell_behind",
        "heard_from",
        "hears_chats",
        "holds_chats",
        "lagging",
        "must_have",
        "on_end",
        "online",
        "placed",
        "replaced",
        "rooms",
        "sid",
        "username",
        "visitor",
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
        self.username: str | None = None
        self.entrance: Entrance | None = None
        self.expires = math.inf
        self.durable = False
        self.rooms: dict[str, LocalRoom] = {}
        self.chats: dict[int, Member] = {}
        self.hears_chats = False
        self.heard_from: dict[int, int] = {}
        self.online = False
        self.lagging = False
        self.fell_behind = False
        self.placed = 0
        self.must_have = 0
        self.holds_chats = False
        self.replaced = False
        self.ended = False
        self.visitor: Visitor | None = None
        self.on_end: Callable[[CloseCode], None] | None = None
        self._link = link
        self._flusher = flusher
        self._outbox: list[bytes] = []
        self._unsent = 0
        self._limit = outbox_limit
        self._waiting: list[asyncio.Future[None]] | None = None

    @property
    def display_name(self) -> str:
        """Its name, or what stands for one."""
        return self.username or f"User {self.sid}"

    @property
    def all_sent(self) -> bool:
        """Whether the link has everything."""
        return not self._outbox and self._flusher.held is None

    def bind(self, username: str) -> None:
        """Bind a name; the first one stays.

        Raises:
            ChatError: `forbidden` for another name than the connection's own.
        """
        if self.username is None:
            self.become(username)
        self.check_own(username)

    def become(self, username: str) -> None:
        """Take the name of whoever it is known to be."""
        self.username = username
        if self.visitor is not None:
            self.visitor.named(self)

    def check_own(self, username: str | None) -> None:
        """Refuse to act for somebody else; None is nobody else.

        Raises:
            ChatError: `forbidden`.
        """
        if username is None or username == self.username:
            return
        if username != self.display_name:
            raise ChatError("forbidden", "that is not the name of this connection")

    def push(self, packed: bytes, *, sheddable: bool = False) -> None:
        """Put a finished frame into the outbox.

        Args:
            packed: as this connection's format packs it.
            sheddable: it is worth nothing to a client that lags: dropped when the outbox is
                half full.
        """
        if self._flusher.held is not None:
            self._flusher.release()
        unsent = self._unsent
        if self.lagging or (sheddable and unsent > self._limit // 2):
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
        if self.lagging:
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
        if self.on_end is not None:
            on_end, self.on_end = self.on_end, None
            on_end(code)

    def abort_in(self, seconds: float) -> None:
        """Drop it after so long, whatever it was not sent."""
        asyncio.get_running_loop().call_later(seconds, self._link.abort)

    def flush(self) -> None:
        """Hand the link what it takes; the rest stays here, where it is counted."""
        link = self._link
        if self._unsent <= MOST_WRITE:
            if link.writable and (frames := self._outbox):
                self._outbox, self._unsent = [], 0
                link.write(frames)
        else:
            self._flush_in_parts()
        if self._waiting is not None:
            self._wake()

    async def calm(self) -> None:
        """Wait until little is unsent, or the client gone: for answers longer than an outbox."""
        while self._unsent * CALM > self._limit and not self.ended:
            await self._flushed()

    async def emptied(self) -> None:
        """Wait until nothing is unsent, or the client gone."""
        while self._outbox and not self.ended:
            await self._flushed()

    async def over(self) -> None:
        """Wait until the client is gone."""
        while not self.ended:
            await self._flushed()

    def gone(self) -> None:
        """The client is gone: nothing is kept for it."""
        self.ended = True
        self.on_end = None
        self.lagging = True
        self._outbox = []
        self._unsent = 0
        self._wake()

    def _flush_in_parts(self) -> None:
        link = self._link
        while self._outbox and link.writable:
            count = size = 0
            for packed in self._outbox:
                count, size = count + 1, size + len(packed)
                if size >= MOST_WRITE:
                    break
            part, self._outbox = self._outbox[:count], self._outbox[count:]
            self._unsent -= size
            link.write(part)

    def _fall_behind(self) -> None:
        """Say what it lacks, if it ever reads again, and let it go."""
        LAGGED.value += 1
        self.lagging = self.fell_behind = True
        for name, local in self.rooms.items():
            head = local.head if local.handed_out is None else local.handed_out
            lagged = Outgoing("lagged", room=name, data=LaggedPayload(name, head))
            packed = self.wire.pack(lagged)
            self._outbox.append(packed)
            self._unsent += len(packed)
        self.end(CloseCode.TRY_LATER)
        self.abort_in(LAST_CHANCE)

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
