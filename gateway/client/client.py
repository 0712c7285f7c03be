"""The client: connect, join, talk, listen, and stay connected."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from gateway.client.connector import Connector, Pace
from gateway.client.engine import Engine, State
from gateway.client.errors import ConnectionLost
from gateway.client.event_queue import Events
from gateway.client.events import (
    Accepted,
    Event,
    HistoryPage,
    Joined,
    RoomCreated,
    RoomInfo,
)
from gateway.client.patience import persist
from gateway.client.requests import Answer
from gateway.client.wire import WIRES, Data, WireName
from shared.model.commands import MOST_NAME, check_name

T = TypeVar("T")


class ChatClient:
    """A connection to Parley that outlives its connections.

    Every request may raise, beside what it names:
        ChatError: the server's coded error. A retryable one was tried again until the deadline.
        ConnectionLost: the connection was lost before the answer, and asking again could do
            something twice; or the client is closed.
        TimeoutError: no answer before the deadline.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        username: str | None = None,
        wire: WireName = "json",
        deadline: float = 30.0,
        queue: int = 1000,
        listen: bool = True,
        pace: Pace | None = None,
    ) -> None:
        """Prepare; `async with` or `connect` connects.

        Args:
            url: `http(s)://host:port` or `ws(s)://host:port/ws`; of several, each attempt goes
                to the next.
            username: the name to be known by. Without one, every connection has another name,
                and a message whose answer was lost is not sent again.
            wire: the format of the frames.
            deadline: seconds that a request may take, reconnects and further tries included.
            queue: events that may wait for `events()`; beyond it nothing is read from the server.
            listen: False for a client that only asks and never iterates over `events()`.
            pace: of the attempts to connect.

        Raises:
            ValueError: an argument is not valid; the text is one sentence for a person.
        """
        if username is not None:
            _check(username)
        if wire not in WIRES:
            raise ValueError(f"{wire!r} is no wire format: json or msgpack")
        urls = [url] if isinstance(url, str) else list(url)
        self._connector = Connector(urls, WIRES[wire].subprotocol, pace or Pace())
        self._connector.username = username
        self._engine = Engine(self._connector, WIRES[wire], queue=queue, listen=listen)
        self._deadline = deadline
        self._running: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """Connecting, connected, reconnecting or closed."""
        return self._engine.state

    @property
    def username(self) -> str | None:
        """The name it is known by."""
        return self._connector.username

    @property
    def rooms(self) -> list[str]:
        """The rooms it is in."""
        return self._engine.rooms.names()

    def typing_in(self, room: str) -> list[str]:
        """Who else is typing in a room."""
        return self._engine.typists.names(room)

    async def connect(self) -> None:
        """Open the first connection.

        Raises:
            Unreachable: no server answered in `Pace.first_tries` attempts.
            Refused: a server answered and does not want this client.
        """
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._engine.run(opened), name="chat client")
        try:
            await opened
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Say goodbye; requests under way fail, and `events()` ends after what has come."""
        await self._engine.close()
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        self._engine.end("the client is closed")

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def events(self) -> Events:
        """What happens, in order of arrival: each message of a joined room once, in order.

        Every iterator takes from the same events, so have one at a time.
        """
        return Events(self._next_event)

    async def set_username(self, username: str) -> None:
        """Take a name; the first one stays.

        Raises:
            ValueError: it cannot be a name.
            ChatError: `forbidden` when it has another.
        """
        _check(username)
        await self.request("setUsername", {"username": username}, repeat=True)
        self._connector.username = username

    async def create_room(self, name: str, password: str | None = None) -> RoomCreated:
        """Make a room; this client is not in it yet.

        Raises:
            ChatError: `room_exists`.
        """
        asked = {"name": name, **({} if password is None else {"password": password})}
        return msgspec.convert(await self.request("createRoom", asked), RoomCreated)

    async def join_room(self, room: str, password: str | None = None) -> Joined:
        """Enter a room, now and after every reconnect.

        Returns:
            The newest messages; those that follow come by `events()`.

        Raises:
            ChatError: `forbidden` for no such room and for a wrong password.
        """
        return await self._persist(lambda: self._engine.rooms.join(room, password))

    async def leave_room(self, room: str) -> None:
        """Leave a room; one it is not in is left already."""
        left = self._engine.rooms.leave(room)
        if left is None or not left.inside:
            return
        with contextlib.suppress(ConnectionLost):  # which is to have left
            await self.request("leaveRoom", {"room": room})

    async def get_rooms(self, after: str = "", limit: int = 1000) -> list[RoomInfo]:
        """List rooms by name.

        Args:
            after: those whose names come after this one.
            limit: at the most, up to 1,000.
        """
        asked = {"after": after, "limit": limit}
        answer = await self._persist(lambda: self._engine.ask("getRooms", asked, repeat=True))
        return msgspec.convert(answer.beside, list[RoomInfo])

    async def send(self, room: str, content: str, client_msg_id: str | None = None) -> Accepted:
        """Say something in a room.

        It is one message however often it had to be sent. Sends of one room keep the order of
        their calls, also when one is called before the last is answered, as long as none meets
        a retryable error.

        Args:
            room: one it is in.
            content: up to 4,000 characters, if the server was not told otherwise.
            client_msg_id: names the message among those of this user in the room; the same one
                again is the same message.

        Raises:
            ChatError: `not_joined`, `too_long`, `forbidden`.
        """
        message: dict[str, Data] = {
            "room": room,
            "content": content,
            "clientMsgId": client_msg_id or secrets.token_urlsafe(12),
        }

        repeat = self.username is not None  # else it would be another sender's message

        async def attempt() -> Answer:
            now = dict(message)
            message["resend"] = True
            return await self._engine.ask("message", now, room=room, repeat=repeat)

        return msgspec.convert((await self._persist(attempt)).data, Accepted)

    async def typing(self, room: str) -> None:
        """Be seen typing by the others for 2.2 s; without a connection it does nothing."""
        if self.state is State.CONNECTED:
            with contextlib.suppress(ConnectionLost):
                await self.request("typing", {"room": room}, room=room)

    async def delete_messages(self, room: str) -> None:
        """Delete everything said in a room so far, for everyone."""
        await self.request("deleteMessages", {"room": room}, room=room)

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> HistoryPage:
        """Read a page of a room's history: the newest, those before a place, or those after one.

        Args:
            room: one it is in.
            before: a seq; not together with `after`.
            after: a seq.
            limit: messages at the most, up to 1,000.
        """
        known = {"room": room, "before": before, "after": after, "limit": limit}
        asked = {name: value for name, value in known.items() if value is not None}
        page = await self.request("history", asked, room=room, repeat=True)
        return msgspec.convert(page, HistoryPage)

    async def request(
        self, event: str, data: Data = None, *, room: str | None = None, repeat: bool = False
    ) -> Data:
        """Ask anything.

        Args:
            event: its name in the protocol.
            data: as the protocol says.
            room: wait until this client is in this room again, should it be reconnecting.
            repeat: ask again when the connection was lost before the answer.

        Returns:
            The data of the reply.

        Raises:
            ValueError, TypeError: the data cannot be written.
        """
        ask = partial(self._engine.ask, event, data, room=room, repeat=repeat)
        return (await self._persist(ask)).data

    async def emit(self, event: str, data: Data = None) -> None:
        """Send anything without asking for a reply; an error comes as `ServerError`.

        Raises:
            ConnectionLost: there is no connection now.
        """
        self._engine.emit(event, data)

    async def _next_event(self) -> Event | None:
        event = await self._engine.queue.get()
        if event is None and self._running is not None and self._running.done():
            with contextlib.suppress(asyncio.CancelledError):
                self._running.result()  # raises where this client itself has failed
        return event

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer, an error that will stay, or the deadline."""
        return await persist(ask, lambda error: error.retryable, self._deadline)


def _check(username: str) -> None:
    if not 0 < len(username) <= MOST_NAME:
        raise ValueError(f"a name has between 1 and {MOST_NAME} characters")
    check_name(username)
