"""Requests that wait for their answers, on this connection or the next."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from parley_chat.connection.limits import too_large
from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError, ConnectionLost

BESIDE: Final[Mapping[str, str]] = {
    "rooms": "getRooms",
    "messageHistory": "joinRoom",
    "chatsList": "getChats",
    "loadMessages": "getMessages",
}
"""Requests by the event that is part of their answer, and comes before the reply."""

SENDS: Final = frozenset({"message", "sendMessage"})
"""Requests that carry `resend: true` when they are sent again."""


class Answer(NamedTuple):
    """Answer to a request: the data of the reply, and of the event that came before it."""

    data: Data
    beside: Data = None


@dataclass(slots=True, eq=False)
class Request:
    """A request that waits for its answer.

    Attributes:
        id: Number of the request, by which the server answers it.
        room: Room that the client must have joined before the request is sent.
        idempotent: Whether it may be sent again after a lost connection.
        done: Gets the answer, or the error.
        posted: Whether it was sent on the present connection.
        size: Bytes of its frame, once it was sent.
        again: Whether it was sent on an earlier connection.
        beside: Data of the event that is part of the answer.
    """

    id: int
    event: str
    data: Data
    room: str | None
    idempotent: bool
    done: asyncio.Future[Answer]
    posted: bool = False
    size: int = 0
    again: bool = False
    beside: Data = None

    def frame(self) -> dict[str, Data]:
        """Return the frame to send."""
        data = self.data
        if self.again and self.event in SENDS:
            data = {**data, "resend": True}
        return {"event": self.event, "data": data, "id": self.id}


@dataclass(slots=True)
class PendingRequests:
    """All requests that wait for an answer, in the order in which they were made."""

    _waiting: dict[int, Request] = field(default_factory=dict)
    _last_id: int = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: str, data: Data, *, room: str | None, idempotent: bool) -> Request:
        """Add a request, which is not sent yet."""
        self._last_id += 1
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        request = Request(self._last_id, event, data, room, idempotent, done)
        self._waiting[request.id] = request
        return request

    def forget(self, request: Request) -> None:
        """Drop a request: its caller waits no more."""
        self._waiting.pop(request.id, None)

    def unposted(self, may: Callable[[Request], bool]) -> list[Request]:
        """Return the requests that are not sent yet, of those that `may` be."""
        return [
            request for request in self._waiting.values() if not request.posted and may(request)
        ]

    def reply(self, request_id: int | None, data: Data) -> None:
        """Settle a request by its reply."""
        if (request := self._take(request_id)) is not None:
            request.done.set_result(Answer(data, request.beside))

    def refuse(self, request_id: int | None, error: ChatError) -> None:
        """Settle a request by an error."""
        if (request := self._take(request_id)) is not None:
            request.done.set_exception(error)

    def refuse_unread(self, error: ChatError) -> bool:
        """Settle a request by an error that names none, if it is the only one that was sent.

        Returns:
            Whether it is; if not, nobody knows what the error is about.
        """
        posted = self._posted()
        if len(posted) != 1:
            return False
        self.refuse(posted[0].id, error)
        return True

    def refuse_largest(self) -> None:
        """Fail the request that was too large for the server: no other can be larger."""
        if posted := self._posted():
            largest = max(posted, key=lambda request: request.size)
            self.refuse(largest.id, too_large(largest.size))

    def beside(self, event: str, room: str | None, data: Data) -> bool:
        """Take an event that is part of the answer to the oldest request for it.

        Returns:
            Whether there is such a request; if not, the event is news.
        """
        if event == "passwordStatus":  # the reply says the same
            return self._asking("joinRoom", None) is not None
        asked = BESIDE.get(event)
        request = self._asking(asked, room) if asked else None
        if request is None and event == "messageHistory":
            request = self._joining_without_history()
        if request is None or (event == "chatsList" and self._going_online(before=request)):
            return False
        request.beside = data
        return True

    def is_refusal(self, event: str, room: str | None) -> bool:
        """Return whether an event is the notification that accompanies a refused join."""
        asking = self._asking("joinRoom", room)
        return event == "notification" and asking is not None and asking.beside is None

    def _going_online(self, before: Request) -> bool:
        """Return whether a `userOnline` is still open that was sent before a request.

        It brings a `chatsList` of its own. With `userOnline` and then `getChats` under way, the
        first list belongs to the former, as the server answers in order; taken for the answer to
        `getChats`, it would lack the chats without unread messages.
        """
        coming = self._asking("userOnline", None)
        return coming is not None and coming.id < before.id

    def _joining_without_history(self) -> Request | None:
        """Return the oldest join that has no history yet: of a room by another spelling."""
        joins = (it for it in self._posted() if it.event == "joinRoom" and it.beside is None)
        return next(joins, None)

    def connection_lost(self) -> None:
        """Keep the requests that may be sent again, and fail the others."""
        for request in list(self._waiting.values()):
            if not request.posted:
                continue
            request.posted, request.again, request.beside = False, True, None
            if not request.idempotent:
                self._fail(request, "the connection was lost before the answer came")

    def fail_all(self, reason: str) -> None:
        """Fail all requests, since no connection follows."""
        for request in list(self._waiting.values()):
            self._fail(request, reason)

    def _posted(self) -> list[Request]:
        return [request for request in self._waiting.values() if request.posted]

    def _fail(self, request: Request, reason: str) -> None:
        self.forget(request)
        if not request.done.done():
            request.done.set_exception(ConnectionLost(reason))

    def _take(self, request_id: int | None) -> Request | None:
        request = self._waiting.pop(request_id, None) if request_id is not None else None
        return request if request is not None and not request.done.done() else None

    def _asking(self, event: str, room: str | None) -> Request | None:
        for request in self._waiting.values():
            if request.event == event and request.posted and room in {None, _room_of(request)}:
                return request
        return None


def _room_of(request: Request) -> str | None:
    return request.data.get("room") if isinstance(request.data, dict) else None
