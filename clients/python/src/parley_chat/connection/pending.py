"""Requests and their answers, beyond the life of one connection."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError, ConnectionLost

BESIDE: Final[Mapping[str, str]] = {
    "rooms": "getRooms",
    "messageHistory": "joinRoom",
    "chatsList": "getChats",
    "loadMessages": "getMessages",
}
"""Events that belong to the answer of a request: they come before its reply."""

SENDS: Final = frozenset({"message", "sendMessage"})
"""Requests of which the server is told that it may have them already."""


class Answer(NamedTuple):
    """The reply to a request, and the data of the event that came beside it."""

    data: Data
    beside: Data = None


@dataclass(slots=True, eq=False)
class Request:
    """A request without its answer yet.

    Attributes:
        room: it takes being in this room.
        repeat: it may be sent again when the connection was lost before its answer.
        posted: it was sent on the present connection.
        again: it was sent before, on another.
    """

    id: int
    event: str
    data: Data
    room: str | None
    repeat: bool
    done: asyncio.Future[Answer]
    posted: bool = False
    again: bool = False
    beside: Data = None

    def frame(self) -> dict[str, Data]:
        """What goes out."""
        data = self.data
        if self.again and self.event in SENDS:
            data = {**data, "resend": True}
        return {"event": self.event, "data": data, "id": self.id}


@dataclass(slots=True)
class Requests:
    """All requests that wait, in the order in which they were made."""

    _waiting: dict[int, Request] = field(default_factory=dict)
    _last_id: int = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: str, data: Data, *, room: str | None, repeat: bool) -> Request:
        """Take a request."""
        self._last_id += 1
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        request = Request(self._last_id, event, data, room, repeat, done)
        self._waiting[request.id] = request
        return request

    def forget(self, request: Request) -> None:
        """Nobody waits for it any more."""
        self._waiting.pop(request.id, None)

    def unposted(self, may: Callable[[Request], bool]) -> list[Request]:
        """The requests to be sent now, of those that `may`."""
        return [
            request for request in self._waiting.values() if not request.posted and may(request)
        ]

    def reply(self, request_id: int | None, data: Data) -> None:
        """Take a reply."""
        if (request := self._take(request_id)) is not None:
            request.done.set_result(Answer(data, request.beside))

    def refuse(self, request_id: int | None, error: ChatError) -> None:
        """Take an error."""
        if (request := self._take(request_id)) is not None:
            request.done.set_exception(error)

    def beside(self, event: str, room: str | None, data: Data) -> bool:
        """Take an event that belongs to the answer of the oldest request for it.

        Returns:
            Whether there is such a request.
        """
        if event == "passwordStatus":  # the reply says the same
            return self._asking("joinRoom", room) is not None
        asked = BESIDE.get(event)
        request = self._asking(asked, room) if asked else None
        if request is None or (event == "chatsList" and self._comes_online(before=request)):
            return False
        request.beside = data
        return True

    def is_refusal(self, event: str, room: str | None) -> bool:
        """Whether this is the notification that goes with a refused join."""
        asking = self._asking("joinRoom", room)
        return event == "notification" and asking is not None and asking.beside is None

    def _comes_online(self, before: Request) -> bool:
        """Whether the server, which goes by the order, is still at saying who has come online.

        That brings a list of chats, too, which nobody asked for.
        """
        coming = self._asking("userOnline", None)
        return coming is not None and coming.id < before.id

    def connection_lost(self) -> None:
        """Keep what may be sent again, and fail the rest."""
        for request in list(self._waiting.values()):
            if not request.posted:
                continue
            request.posted, request.again, request.beside = False, True, None
            if not request.repeat:
                self._fail(request, "the connection was lost before the answer came")

    def fail_all(self, reason: str) -> None:
        """Fail everything: there will be no other connection."""
        for request in list(self._waiting.values()):
            self._fail(request, reason)

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
