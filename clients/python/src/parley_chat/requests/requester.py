"""Requests to the server, with retries until a deadline."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from parley_chat.connection.pending import Answer
from parley_chat.connection.retries import retry_transient
from parley_chat.connection.wire import Data
from parley_chat.constants import MAX_INTEGER, MAX_TYPED_NAME_CHARACTERS
from parley_chat.engine import Engine
from parley_chat.errors import ChatError
from parley_chat.events.answers import SentMessage
from parley_chat.events.kinds import UserId

T = TypeVar("T")


class Requester:
    """Base of all classes with requests."""

    def __init__(self, engine: Engine, deadline: float) -> None:
        self._engine = engine
        self._deadline = deadline

    @property
    def user(self) -> UserId | None:
        """User that this client acts as: the one it is online as, or its name."""
        return self._engine.user

    async def request(
        self, event: str, data: Data = None, *, room: str | None = None, idempotent: bool = False
    ) -> Data:
        """Send any request of the protocol.

        Args:
            event: Name of the request in the protocol.
            data: Its data, as the protocol says.
            room: Room that the client must have joined again, after a reconnect, before the
                request is sent.
            idempotent: Whether to send it again if the connection is lost before the answer.

        Returns:
            The data of the reply.

        Raises:
            ValueError, TypeError: the data cannot be encoded.
        """
        return (await self._ask(event, data, room=room, idempotent=idempotent)).data

    async def emit(self, event: str, data: Data = None) -> None:
        """Send an event without a reply; an error comes as `ServerError`.

        Raises:
            ConnectionLost: there is no connection now.
        """
        self._engine.emit(event, data)

    async def _ask(
        self, event: str, data: Data, *, room: str | None = None, idempotent: bool = True
    ) -> Answer:
        ask = partial(self._engine.ask, event, data, room=room, idempotent=idempotent)
        return await self._retry(ask)

    async def _send_message(
        self, event: str, message: dict[str, Data], *, room: str | None = None, idempotent: bool
    ) -> SentMessage:
        """Send a message; it is one message however often it is sent."""

        async def attempt() -> Answer:
            now = dict(message)
            message["resend"] = True
            return await self._engine.ask(event, now, room=room, idempotent=idempotent)

        return msgspec.convert((await self._retry(attempt)).data, SentMessage)

    async def _retry(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat a request until it succeeds, fails for good, or the deadline passes."""
        return await retry_transient(ask, lambda error: error.retryable, self._deadline)

    def _require_user(self) -> UserId:
        """Return the user that this client acts as, which requests about chats need."""
        if self.user is None:
            raise ChatError("unauthorized", "give the client a name first, or go online")
        return self.user


def check_username(username: str) -> None:
    """Check the length of a name; the rules of names are the server's.

    Raises:
        ValueError: the server does not take it.
    """
    if not 0 < len(username) <= MAX_TYPED_NAME_CHARACTERS:
        raise ValueError(f"a name has between 1 and {MAX_TYPED_NAME_CHARACTERS} characters")


def check_user(user: UserId) -> None:
    """Check the length of a user id, or its size if it is a number.

    Raises:
        ValueError: the server does not take it.
    """
    if isinstance(user, str):
        check_username(user)
    elif not 0 <= user <= MAX_INTEGER:
        raise ValueError(f"a user id that is an integer is between 0 and {MAX_INTEGER}")
