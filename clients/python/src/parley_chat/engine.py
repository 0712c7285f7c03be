"""What stays while connections come and go: requests, rooms, chats, events."""

import asyncio
from collections.abc import Coroutine, Sequence
from enum import StrEnum
from typing import Any

from parley_chat.connection.connector import Connector
from parley_chat.connection.credentials import Credentials
from parley_chat.connection.pending import Answer, Request, Requests
from parley_chat.connection.session import Session
from parley_chat.connection.wire import Data, Frame, Wire
from parley_chat.constants import FINAL_CLOSE_CODES, NEW_TOKEN_CLOSE_CODES
from parley_chat.errors import ConnectionLost, Refused
from parley_chat.events.entries import Entry, position_of
from parley_chat.events.event_queue import EventQueue
from parley_chat.events.kinds import Connected, Disconnected, Event, UserId
from parley_chat.events.presence import Presence
from parley_chat.events.reading import error_of, event_of
from parley_chat.events.typists import Typists
from parley_chat.log.chats import Chats
from parley_chat.log.rooms import Rooms


class State(StrEnum):
    """What a client is doing."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Engine:
    """Runs one connection after the other.

    Attributes:
        state: what it is doing.
    """

    def __init__(self, connector: Connector, wire: Wire, *, queue: int, listen: bool) -> None:
        self.state = State.CONNECTING
        self.requests = Requests()
        self.rooms = Rooms(self)
        self.chats = Chats(self)
        self.presence = Presence()
        self.typists = Typists(lambda: asyncio.get_running_loop().time())
        self.queue = EventQueue(queue, lambda: len(self.requests) > 0)
        self._connector = connector
        self._wire = wire
        self._listen = listen
        self._session: Session | None = None
        self._again = False
        self._back_after: float | None = None
        self._opened: asyncio.Future[None] | None = None

    @property
    def username(self) -> str | None:
        """The name that each connection is opened with."""
        return self._connector.username

    @username.setter
    def username(self, username: str) -> None:
        self._connector.username = username

    @property
    def _credentials(self) -> Credentials | None:
        return self._connector.credentials

    @property
    def user(self) -> UserId | None:
        """Who this client is; None for nobody in particular."""
        return self.username if self.chats.online is None else self.chats.online

    async def run(self, opened: asyncio.Future[None]) -> None:
        """Connect, and stay connected until cancelled or refused.

        Args:
            opened: done when the first connection is open, or cannot be.
        """
        try:
            websocket = await self._connector.first()
            if self._credentials is None:
                opened.set_result(None)
            self._opened = opened
            while True:
                session = Session(websocket, self._wire)
                await self._serve(session)
                if self.state is State.CLOSED:
                    return
                websocket = await self._connector.again(session.lasted, self._pause())
        except ConnectionError as error:
            if not opened.done():
                opened.set_exception(error)
            elif isinstance(error, Refused):
                self.show([Disconnected(reason=str(error), final=True)])
            else:
                raise
        finally:
            if not opened.done():
                why = self._credentials.refusal if self._credentials else "no reason given"
                opened.set_exception(Refused(f"{self._connector.url} did not let us in: {why}"))
            self.end("the client is closed")

    async def close(self) -> None:
        """End the present connection, and open no other."""
        self.state = State.CLOSED
        self.queue.close()
        if self._session is not None:
            await self._session.close()

    def end(self, reason: str) -> None:
        """Nothing more will come."""
        self.state = State.CLOSED
        self.requests.fail_all(reason)
        self.queue.close()

    async def ask(
        self, event: str, data: Data, *, room: str | None = None, repeat: bool = False
    ) -> Answer:
        """Request, and wait for the answer, on another connection if need be.

        Args:
            event: of the request.
            data: of the request.
            room: to wait for, if this client is in it and the connection was lost.
            repeat: the request may be sent again when the connection is lost before the answer.

        Raises:
            ChatError: the answer is an error.
            ConnectionLost: the connection was lost, and the request may not be repeated.
            ValueError, TypeError: the data cannot be written.
        """
        if self.state is State.CLOSED:
            raise ConnectionLost("the client is closed")
        request = self.requests.add(event, data, room=room, repeat=repeat)
        try:
            if self._may_post(request):
                self._post(request)
            else:
                self._wire.encode(request.frame())  # what cannot be written fails here and now
            self.queue.look()
            return await request.done
        finally:
            self.requests.forget(request)

    def emit(self, event: str, data: Data) -> None:
        """Send something that is not answered.

        Raises:
            ConnectionLost: there is no connection.
        """
        if self._session is None:
            raise ConnectionLost("there is no connection")
        self._session.post({"event": event, "data": data})

    async def space(self) -> None:
        """Wait until there is space for events."""
        await self.queue.space()

    def show(self, events: Sequence[Event]) -> None:
        """Hand events to the application."""
        for event in events:
            self.typists.take(event)
            self.presence.take(event)
            if self._listen:
                self.queue.push(event)
            self.rooms.take(event)

    def post(self) -> None:
        """Send what waited and can go now, in order."""
        for request in self.requests.unposted(self._may_post):
            self._post(request)

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Do something for as long as the present connection lasts."""
        if self._session is not None:
            self._session.spawn(task)
        else:
            task.close()

    async def _serve(self, session: Session) -> None:
        try:
            await session.run(lambda: self._start(session), self._take, self.space)
        finally:
            self._session = None
            self._lost(session)

    def _start(self, session: Session) -> None:
        self._session = session
        if self.state is not State.CLOSED:
            self.state = State.CONNECTED
        self.show([Connected(url=self._connector.url, again=self._again)])
        if self._credentials is None:
            self._enter()
        else:
            session.spawn(self._credentials.keep_showing(self._show_token, self._known_as))

    def _enter(self) -> None:
        """The server knows this client, or need not."""
        if self._again:
            self.spawn(self._resume())
        self._again = True
        self.post()

    async def _show_token(self, token: str) -> Data:
        request = self.requests.add("authenticate", {"token": token}, room=None, repeat=False)
        self._post(request)
        return (await request.done).data

    def _known_as(self, username: str) -> None:
        self.username = username
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        self._enter()

    def _lost(self, session: Session) -> None:
        self.requests.connection_lost()
        self.rooms.connection_lost()
        self.chats.connection_lost()
        self.typists.forget()
        self.presence.forget()
        if self._credentials is not None:
            self._credentials.connection_lost()
        if self.state is State.CLOSED:
            return
        final = self._is_final(session.close_code)
        self.state = State.CLOSED if final else State.RECONNECTING
        self.show([Disconnected(reason=session.close_reason, final=final)])

    def _is_final(self, close_code: int | None) -> bool:
        """Return whether another connection would end in the same way."""
        if close_code in NEW_TOKEN_CLOSE_CODES:
            return self._credentials is None or not self._credentials.retry()
        return close_code in FINAL_CLOSE_CODES

    def _take(self, frame: Frame) -> None:
        match frame:
            case Frame("reply", data, request_id):
                self.requests.reply(request_id, data)
            case Frame("error", {"code": _, "message": _} as told, int(request_id)):
                self.requests.refuse(request_id, error_of(told))
            case Frame("reconnect", {"afterMs": int(milliseconds)}):
                self._come_back(milliseconds / 1000)
            case Frame("resume_required"):
                self.chats.connection_lost()
                self.spawn(self._resume())
            case _ if not self._belongs_to_an_answer(frame):
                self._take_event(self.chats.located(frame))

    def _take_event(self, frame: Frame) -> None:
        event, at = event_of(frame), position_of(frame)
        if self.chats.is_news(event) and (at is None or self._is_next(Entry(at, event))):
            self.show([event])

    def _is_next(self, entry: Entry) -> bool:
        logs = self.chats if entry.at.room is None else self.rooms
        return logs.is_next(entry)

    async def _resume(self) -> None:
        """Back in touch: enter rooms, come online, and catch up with everything."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.rooms.enter_all_again())
            tasks.create_task(self.chats.come_again())

    def _belongs_to_an_answer(self, frame: Frame) -> bool:
        if self.requests.beside(frame.event, frame.room, frame.data):
            return True
        room = self.rooms.get(frame.room)
        outside = room is not None and not room.inside
        return outside and self.requests.is_refusal(frame.event, frame.room)

    def _may_post(self, request: Request) -> bool:
        room = self.rooms.get(request.room)
        known = self._credentials is None or self._credentials.accepted
        return self._session is not None and known and (room is None or room.inside)

    def _post(self, request: Request) -> None:
        if self._session is not None:
            self._session.post(request.frame())
            request.posted = True

    def _come_back(self, after: float) -> None:
        """The server is leaving: connect elsewhere at the time it gives this client."""
        self._back_after = asyncio.get_running_loop().time() + after
        session = self._session

        async def close_in_time() -> None:
            await asyncio.sleep(after)
            if session is not None:
                await session.close()

        self.spawn(close_in_time())

    def _pause(self) -> float | None:
        """How long the server asked to wait, in seconds, from now."""
        back, self._back_after = self._back_after, None
        return None if back is None else max(0.0, back - asyncio.get_running_loop().time())
