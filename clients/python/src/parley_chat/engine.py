"""The engine of a client: it carries requests, rooms and chats from connection to connection."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from parley_chat.connection.connection import Session
from parley_chat.connection.connector import Connector
from parley_chat.connection.credentials import Credentials, is_final
from parley_chat.connection.limits import Limits
from parley_chat.connection.pending import Answer, PendingRequests, Request
from parley_chat.connection.state import State
from parley_chat.connection.wire import Data, Frame, Wire
from parley_chat.errors import ChatError, ConnectionLost, Refused
from parley_chat.events.event_queue import EventQueue
from parley_chat.events.kinds import Connected, Disconnected, Event, UserId
from parley_chat.events.location import LocatedEvent, location_of
from parley_chat.events.presence import Presence
from parley_chat.events.reading import error_of, event_of
from parley_chat.events.typing_tracker import TypingTracker
from parley_chat.log.chats import Chats
from parley_chat.log.rooms import Rooms

WELCOME_TIMEOUT_SECONDS = 5.0
"""Time for the server's `welcome`, with its limits, before the first connection counts as open."""


class Engine:
    """Keeps a connection open, and hands frames to the parts of the client that they concern."""

    def __init__(self, connector: Connector, wire: Wire, *, queue: int, listen: bool) -> None:
        self.state = State.CONNECTING
        self.limits = Limits()
        self.requests = PendingRequests()
        self.rooms = Rooms(self)
        self.chats = Chats(self)
        self.presence = Presence()
        self.typing_tracker = TypingTracker(lambda: asyncio.get_running_loop().time())
        self.queue = EventQueue(queue, lambda: len(self.requests) > 0)
        self._connector = connector
        self._wire = wire
        self._listen = listen
        self._session: Session | None = None
        self._was_connected = False
        self._opened: asyncio.Future[None] | None = None

    @property
    def username(self) -> str | None:
        """Name of the user, with which each connection is opened."""
        return self._connector.username

    @username.setter
    def username(self, username: str | None) -> None:
        self._connector.username = username

    @property
    def _credentials(self) -> Credentials | None:
        return self._connector.credentials

    @property
    def user(self) -> UserId | None:
        """User that this client acts as; None if it has no name."""
        return self.username if self.chats.online is None else self.chats.online

    async def run(self, opened: asyncio.Future[None]) -> None:
        """Connect, and stay connected until cancelled or refused.

        Args:
            opened: Future that gets its result, or its error, with the first connection.
        """
        try:
            websocket = await self._connector.first()
            self._opened = opened
            if self._credentials is None:
                asyncio.get_running_loop().call_later(WELCOME_TIMEOUT_SECONDS, self._be_open)
            while True:
                session = Session(websocket, self._wire, self.limits)
                await self._serve(session)
                if self.state is State.CLOSED:
                    return
                websocket = await self._connector.again(session.lasted)
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
                text = f"{self._connector.url} refused the connection: {why}"
                opened.set_exception(Refused(text))
            self.end("the client is closed")

    async def close(self) -> None:
        """Close the connection, and open no other."""
        self.state = State.CLOSED
        self.queue.close()
        if self._session is not None:
            await self._session.close()

    def end(self, reason: str) -> None:
        """Fail the open requests and end the events, since no connection follows."""
        self.state = State.CLOSED
        self.requests.fail_all(reason)
        self.queue.close()

    async def ask(
        self, event: str, data: Data, *, room: str | None = None, idempotent: bool = False
    ) -> Answer:
        """Send a request and wait for the answer, across reconnects if need be.

        Args:
            event: Name of the request in the protocol.
            data: Its data, as the protocol says.
            room: Room that the client must have joined again before the request is sent.
            idempotent: Whether to send it again if the connection is lost before the answer.

        Raises:
            ChatError: the answer is an error, or `too_long`: it is larger than the server takes.
            ConnectionLost: the connection was lost, and the request is not idempotent.
            ValueError, TypeError: the data cannot be encoded.
        """
        if self.state is State.CLOSED:
            raise ConnectionLost("the client is closed")
        request = self.requests.add(event, data, room=room, idempotent=idempotent)
        try:
            if self._may_post(request):
                self._post(request)
            else:
                self._wire.encode(request.frame())  # data that cannot be encoded fails at once
            self.queue.look()
            return await request.done
        finally:
            self.requests.forget(request)

    def emit(self, event: str, data: Data) -> None:
        """Send an event that the server does not answer.

        Raises:
            ChatError: `too_long`: it is larger than the server takes.
            ConnectionLost: there is no connection.
        """
        if self._session is None:
            raise ConnectionLost("there is no connection")
        self._session.post({"event": event, "data": data})

    async def space(self) -> None:
        """Wait until the event queue has space."""
        await self.queue.space()

    def show(self, events: Sequence[Event]) -> None:
        """Put events into the queue, and let the client learn from them."""
        for event in events:
            self.typing_tracker.take(event)
            self.presence.take(event)
            if self._listen:
                self.queue.push(event)
            self.rooms.take(event)

    def post(self) -> None:
        """Send the waiting requests that can be sent now, in order."""
        for request in self.requests.unposted(self._may_post):
            self._post(request)

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Run a task until it or the present connection ends."""
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
        self.show([Connected(url=self._connector.url, again=self._was_connected)])
        if self._credentials is None:
            self._resume_requests()
        else:
            session.spawn(self._credentials.keep_showing(self._show_token, self._accept))

    def _resume_requests(self) -> None:
        """Resume and send waiting requests, once the server has accepted the client."""
        if self._was_connected:
            self.spawn(self._resume())
        self._was_connected = True
        self.post()

    async def _show_token(self, token: str) -> Data:
        request = self.requests.add("authenticate", {"token": token}, room=None, idempotent=False)
        self._post(request)
        return (await request.done).data

    def _accept(self, username: str) -> None:
        self.username = username
        self._be_open()
        self._resume_requests()

    def _is_opening_by_name(self) -> bool:
        opening = self._opened is not None and not self._opened.done()
        return opening and self._credentials is None and self.username is not None

    def _refuses_name(self, error: ChatError) -> bool:
        return self._is_opening_by_name() and not error.retryable

    async def _open_when_named(self) -> None:
        """Count as open, once it is known that the server does not refuse the name.

        The error of a refused name has no id and follows `welcome`; any answer follows both.
        """
        if self._is_opening_by_name():
            with suppress(ChatError):
                await self.ask("setUsername", {"username": self.username})
        self._be_open()

    def _refuse_name(self, error: ChatError) -> None:
        self.state = State.CLOSED
        if self._opened is not None:
            self._opened.set_exception(Refused(error.message))

    def _be_open(self) -> None:
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)

    def _lost(self, session: Session) -> None:
        if session.was_sent_too_much:
            self.requests.refuse_largest()
        self.requests.connection_lost()
        self.rooms.connection_lost()
        self.chats.connection_lost()
        self.typing_tracker.forget()
        self.presence.forget()
        if self._credentials is not None:
            self._credentials.connection_lost()
        if self.state is State.CLOSED:
            return
        final = is_final(session.close_code, self._credentials)
        self.state = State.CLOSED if final else State.RECONNECTING
        self.show([Disconnected(reason=session.close_reason, final=final)])

    def _take(self, frame: Frame) -> None:
        match frame:
            case Frame("reply", data, request_id):
                self.requests.reply(request_id, data)
            case Frame("error", told, int(request_id)):
                self.requests.refuse(request_id, error_of(told))
            case Frame("error", {"code": "bad_frame"} as told) if self.requests.refuse_unread(
                error_of(told)
            ):
                pass  # the server could not read the frame, nor its id
            case Frame("error", told) if self._refuses_name(error_of(told)):
                self._refuse_name(error_of(told))
            case Frame("welcome", dict(told)):
                self.limits.take(told)
                if self._credentials is None:
                    self.username = told.get("user", self.username)
                    self.spawn(self._open_when_named())
            case Frame("reconnect", {"afterMs": int(milliseconds)}):
                self._leave_at(milliseconds / 1000)
            case Frame("resume_required"):
                self.chats.connection_lost()
                self.spawn(self._resume())
            case _ if not self._belongs_to_an_answer(frame):
                self._take_event(self.chats.located(frame))

    def _take_event(self, frame: Frame) -> None:
        event, at = event_of(frame), location_of(frame)
        if self.chats.is_new(event) and (at is None or self._is_next(LocatedEvent(at, event))):
            self.show([event])

    def _is_next(self, entry: LocatedEvent) -> bool:
        return (self.chats if entry.at.room is None else self.rooms).is_next(entry)

    async def _resume(self) -> None:
        """Join rooms again, go online again, and catch up with everything missed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.rooms.rejoin_all())
            tasks.create_task(self.chats.resume())

    def _belongs_to_an_answer(self, frame: Frame) -> bool:
        if self.requests.beside(frame.event, frame.room, frame.data):
            return True
        room = self.rooms.get(frame.room)
        outside = room is not None and not room.subscribed
        return outside and self.requests.is_refusal(frame.event, frame.room)

    def _may_post(self, request: Request) -> bool:
        room = self.rooms.get(request.room)
        known = self._credentials is None or self._credentials.accepted
        return self._session is not None and known and (room is None or room.subscribed)

    def _post(self, request: Request) -> None:
        if self._session is not None:
            try:
                request.size = self._session.post(request.frame())
            except ChatError as error:
                self.requests.refuse(request.id, error)
            else:
                request.posted = True

    def _leave_at(self, after: float) -> None:
        """Leave a server that is shutting down, at the time that it assigned."""
        self._connector.return_in(after)
        if self._session is not None:
            self.spawn(self._session.close_in(after))
