"""One client: who it is, which rooms it is in, and what it has not been sent yet."""

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import UNSET

from gateway.close_codes import CloseCode
from gateway.protocols.frames import Format, Outgoing, RequestId
from shared.errors import ChatError
from shared.model.events import CursorMoved, Event

if TYPE_CHECKING:
    from gateway.local_room import LocalRoom

CALM: Final = 4
"""A connection takes more of a long answer once the outbox is below one part in so many."""


class Member:
    """A connection in a room, or in a chat of its user.

    Attributes:
        waiting: events that wait while its history is on the way; None once it is live.
        seen: the last seq that its history showed. What the channel or the log bring of it
            later, because they were behind, it has already.
        cursors: how far its resume said that others have seen; the same holds for these.
    """

    __slots__ = ("cursors", "seen", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Event] | None = []
        self.seen = 0
        self.cursors: dict[str, int] = {}

    @classmethod
    def live(cls, seen: int) -> Self:
        """One that waits for nothing, and gets everything after `seen`."""
        member = cls()
        member.waiting, member.seen = None, seen
        return member

    def takes(self, event: Event) -> bool:
        """Whether an event is news to it."""
        if event.seq:
            return event.seq > self.seen
        body = event.body
        return not isinstance(body, CursorMoved) or body.seq > self.cursors.get(body.user, 0)


class Connection:
    """A client's connection, whatever it speaks.

    Attributes:
        sid: unique in the cluster.
        username: the name bound to it; None until one is.
        durable: whether it wants to hear when SQL has its messages.
        rooms: the rooms it is in, by name.
        chats: the chats that it resumed or heard of, by id.
        hears_chats: whether it hears of its user's chats.
        online: whether it says that its user is online.
        lagging: it did not read what it was sent; nothing more is kept for it.
        fell_behind: set when that happens.
        ending: why it is to end once the outbox is empty; None to stay.
        ended: set when it has gone.
    """

    def __init__(self, wire: Format, gateway_name: str, outbox_limit: int) -> None:
        """Begin.

        Args:
            wire: the format it speaks.
            gateway_name: where it is connected.
            outbox_limit: bytes that may wait for it.
        """
        self.wire = wire
        self.sid = f"{gateway_name}.{secrets.token_urlsafe(9)}"
        self.username: str | None = None
        self.durable = False
        self.rooms: dict[str, LocalRoom] = {}
        self.chats: dict[int, Member] = {}
        self.hears_chats = False
        self.online = False
        self.lagging = False
        self.lagged_at: dict[str, int] = {}
        self.fell_behind = asyncio.Event()
        self.ending: CloseCode | None = None
        self.ended = asyncio.Event()
        self._outbox: deque[bytes] = deque()
        self._unsent = 0
        self._limit = outbox_limit
        self._filled = asyncio.Event()
        self._calm = asyncio.Event()
        self._calm.set()

    @property
    def display_name(self) -> str:
        """Its name, or what stands for one."""
        return self.username or f"User {self.sid}"

    def bind(self, username: str) -> None:
        """Bind a name; the first one stays.

        Raises:
            ChatError: `forbidden` for another name than the connection's own.
        """
        if self.username is None:
            self.username = username
        self.check_own(username)

    def check_own(self, username: str | None) -> None:
        """Refuse to act for somebody else; None is nobody else.

        Raises:
            ChatError: `forbidden`.
        """
        if username is not None and username != self.display_name:
            raise ChatError("forbidden", "that is not the name of this connection")

    def push(self, frame: bytes, *, sheddable: bool = False) -> None:
        """Put a finished frame into the outbox.

        Args:
            frame: in this connection's format.
            sheddable: it is worth nothing to a client that lags: dropped when the outbox is
                half full.
        """
        if self.lagging or (sheddable and self._unsent > self._limit // 2):
            return
        if self._unsent > self._limit:
            # What waits already is too much; one large frame by itself is not.
            self.lagging = True
            self.lagged_at = {name: local.head for name, local in self.rooms.items()}
            self.fell_behind.set()
            return
        self._put(frame)

    def emit(self, event: str, data: Any, room: str | None = None) -> None:  # noqa: ANN401 - any payload
        """Send an event to this client alone."""
        in_room = UNSET if room is None else room
        self.push(self.wire.encode(Outgoing(event, room=in_room, data=data)))

    def reply(self, request: RequestId | None, data: Any) -> None:  # noqa: ANN401 - any payload
        """Answer a request; one without an id wants no answer."""
        if request is not None:
            self.push(self.wire.encode(Outgoing("reply", id=request, data=data)))

    def refuse(self, request: RequestId | None, error: ChatError) -> None:
        """Answer a request with an error; one without an id gets it too."""
        place = UNSET if request is None else request
        self.push(self.wire.encode(Outgoing("error", id=place, data=error.payload())))

    def end(self, code: CloseCode) -> None:
        """Close it once what waits for it has been sent."""
        if self.ending is None:
            self.ending = code
            self._filled.set()

    def look_again(self) -> None:
        """Let `unsent` return, with nothing if there is nothing."""
        self._filled.set()

    def last_words(self, outgoing: list[Outgoing]) -> None:
        """Put frames behind what waits, whatever the limit: the connection ends with them."""
        for item in outgoing:
            self._put(self.wire.encode(item))

    async def calm(self) -> None:
        """Wait until little is unsent: for answers that are longer than an outbox."""
        await self._calm.wait()

    async def unsent(self) -> list[bytes]:
        """Wait for frames, or for the end, and take all frames there are."""
        await self._filled.wait()
        self._filled.clear()
        frames = list(self._outbox)
        self._outbox.clear()
        return frames

    def sent(self, frame: bytes) -> None:
        """Say that a frame taken from the outbox has left."""
        self._unsent -= len(frame)
        if self._unsent * CALM <= self._limit:
            self._calm.set()

    def _put(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._unsent += len(frame)
        if self._unsent * CALM > self._limit:
            self._calm.clear()
        self._filled.set()
