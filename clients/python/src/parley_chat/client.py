"""The client: connect, join, talk, listen, and stay connected."""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from parley_chat.connection.connector import Connector, Pace
from parley_chat.connection.credentials import Credentials, TokenSource
from parley_chat.connection.wire import WIRES, WireName
from parley_chat.engine import Engine, State
from parley_chat.events.event_queue import Events
from parley_chat.events.kinds import Event
from parley_chat.requests.asking import check_username
from parley_chat.requests.chats import ChatRequests
from parley_chat.requests.places import PlaceRequests
from parley_chat.requests.rooms import RoomRequests


class ChatClient(RoomRequests, ChatRequests, PlaceRequests):
    """A connection to Parley that outlives its connections.

    Every request may raise, beside what it names:
        ChatError: the server's coded error. A retryable one was tried again until the deadline.
        ConnectionLost: the connection was lost before the answer, and asking again could do
            something twice; or the client is closed.
        TimeoutError: no answer before the deadline.
    """

    def __init__(  # noqa: PLR0913 - each has its name where it is called
        self,
        url: str | Sequence[str],
        *,
        username: str | None = None,
        token: TokenSource | None = None,
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
            token: says who connects, where the server wants to know (`AUTH_MODE=jwt`): a token,
                or an async function that fetches one, which is called for each connection and
                before the last token expires.
            wire: the format of the frames.
            deadline: seconds that a request may take, reconnects and further tries included.
            queue: events that may wait for `events()`; beyond it nothing is read from the server.
            listen: False for a client that only asks and never iterates over `events()`.
            pace: of the attempts to connect.

        Raises:
            ValueError: an argument is not valid; the text is one sentence for a person.
        """
        if username is not None:
            check_username(username)
        if wire not in WIRES:
            raise ValueError(f"{wire!r} is no wire format: json or msgpack")
        urls = [url] if isinstance(url, str) else list(url)
        connector = Connector(urls, WIRES[wire].subprotocol, pace or Pace())
        connector.username = username
        connector.credentials = None if token is None else Credentials(token)
        engine = Engine(connector, WIRES[wire], queue=queue, listen=listen)
        super().__init__(engine, deadline)
        self._running: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """Connecting, connected, reconnecting or closed."""
        return self._engine.state

    @property
    def username(self) -> str | None:
        """The name it is known by."""
        return self._engine.username

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
        """What happens, in order of arrival: each message of a room or chat once, in order.

        Every iterator takes from the same events, so have one at a time.
        """
        return Events(self._next_event)

    async def set_username(self, username: str) -> None:
        """Take a name; the first one stays.

        Raises:
            ValueError: it cannot be a name.
            ChatError: `forbidden` when it has another.
        """
        check_username(username)
        await self.request("setUsername", {"username": username}, repeat=True)
        self._engine.username = username

    async def _next_event(self) -> Event | None:
        event = await self._engine.queue.get()
        if event is None and self._running is not None and self._running.done():
            with contextlib.suppress(asyncio.CancelledError):
                self._running.result()  # raises where this client itself has failed
        return event
