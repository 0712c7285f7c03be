"""The client that applications use."""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from parley_chat.connection.connector import ConnectionPolicy, Connector
from parley_chat.connection.credentials import Credentials, TokenSource
from parley_chat.connection.state import State
from parley_chat.connection.wire import WIRES, WireName
from parley_chat.engine import Engine
from parley_chat.events.event_queue import Events
from parley_chat.events.kinds import Event
from parley_chat.requests.chats import ChatRequests
from parley_chat.requests.places import PlaceRequests
from parley_chat.requests.requester import check_username
from parley_chat.requests.rooms import RoomRequests


class ChatClient(RoomRequests, ChatRequests, PlaceRequests):
    """A client that connects again by itself, and carries on where it was.

    Every request may raise, beside the errors that it names:
        ChatError: the server refused it, or it was not sent, as it has more than `max_frame` bytes
            (`too_long`). Retryable errors were tried again until the deadline.
        ConnectionLost: the connection was lost before the answer, and a second request could do
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
        policy: ConnectionPolicy | None = None,
    ) -> None:
        """Make a client that is not connected; `async with` or `connect` connects it.

        Args:
            url: `http(s)://host:port` or `ws(s)://host:port/ws`. With several, each attempt to
                connect goes to the next.
            username: The user's name. The server may spell it in another way: `username` says how.
                Without one, each connection has a name of its own, and a
                message whose answer was lost is not sent again.
            token: Proof of who the user is, where the server wants one (`AUTH_MODE=jwt`): a token,
                or an async function that fetches one. The function is called for each connection,
                and again before the last token expires.
            wire: Format of the frames.
            deadline: Seconds that a request may take, with reconnects and retries.
            queue: Events that may wait for `events()`. While more wait, the client reads nothing
                from the server.
            listen: False for a client that only makes requests and never reads `events()`.
            policy: Timing of attempts to connect, and of connections.

        Raises:
            ValueError: an argument is not valid; the text is one sentence for a person.
        """
        if username is not None:
            check_username(username)
        if wire not in WIRES:
            raise ValueError(f"{wire!r} is no wire format: json or msgpack")
        urls = [url] if isinstance(url, str) else list(url)
        connector = Connector(urls, WIRES[wire].subprotocol, policy or ConnectionPolicy())
        connector.username = username
        connector.credentials = None if token is None else Credentials(token)
        engine = Engine(connector, WIRES[wire], queue=queue, listen=listen)
        super().__init__(engine, deadline)
        self._running: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """State of the client: connecting, connected, reconnecting or closed."""
        return self._engine.state

    @property
    def username(self) -> str | None:
        """Name of the user; None if there is none yet."""
        return self._engine.username

    @property
    def max_content(self) -> int:
        """Characters that a message may have on this server."""
        return self._engine.limits.max_content

    @property
    def max_frame(self) -> int:
        """Bytes that a request may have on this server."""
        return self._engine.limits.max_frame

    async def connect(self) -> None:
        """Open the first connection.

        Raises:
            Unreachable: no server answered in `ConnectionPolicy.first_attempts` attempts.
            Refused: a server answered, and refused this client for good.
        """
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._engine.run(opened), name="chat client")
        try:
            await opened
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect; open requests fail, and `events()` ends after the events received so far."""
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
        """Iterate over events as they arrive: each message of a room or chat once and in order.

        All iterators take from the same queue, so use one at a time.
        """
        return Events(self._next_event)

    async def set_username(self, username: str) -> None:
        """Set the user's name, which cannot be changed afterwards.

        The client's name is then as the server spells it.

        Raises:
            ValueError: it is not a valid name.
            ChatError: `forbidden` if the client has another name.
        """
        check_username(username)
        answer = await self.request("setUsername", {"username": username}, idempotent=True)
        self._engine.username = answer.get("user", username)

    async def _next_event(self) -> Event | None:
        event = await self._engine.queue.get()
        if event is None and self._running is not None and self._running.done():
            with contextlib.suppress(asyncio.CancelledError):
                self._running.result()  # raises where this client itself has failed
        return event
