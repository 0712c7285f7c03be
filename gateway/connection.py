"""One client: who it is, which rooms it is in, and what it has not been sent yet."""

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from gateway.protocols.frames import Format, Outgoing, RequestId
from shared.errors import ChatError

if TYPE_CHECKING:
    from gateway.local_room import LocalRoom


class Connection:
    """A client's connection, whatever it speaks.

    Attributes:
        sid: unique in the cluster.
        username: the name bound to it; None until one is.
        rooms: the rooms it is in, by name.
        lagging: it did not read what it was sent; nothing more is kept for it.
        fell_behind: set when that happens.
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
        self.rooms: dict[str, LocalRoom] = {}
        self.lagging = False
        # Whether it hears of its user's direct chats, and whether it says that they are online.
        self.hears_chats = False
        self.online = False
        self._outbox: deque[bytes] = deque()
        self._unsent = 0
        self._limit = outbox_limit
        self._filled = asyncio.Event()
        self.fell_behind = asyncio.Event()

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
            self.fell_behind.set()
            return
        self._outbox.append(frame)
        self._unsent += len(frame)
        self._filled.set()

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

    async def unsent(self) -> list[bytes]:
        """Wait for frames, and take all there are."""
        await self._filled.wait()
        self._filled.clear()
        frames = list(self._outbox)
        self._outbox.clear()
        return frames

    def sent(self, frame: bytes) -> None:
        """Say that a frame taken from the outbox has left."""
        self._unsent -= len(frame)
