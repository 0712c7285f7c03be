"""Asking the server, until it answers or the deadline comes."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from parley_chat.connection.patience import persist
from parley_chat.connection.pending import Answer
from parley_chat.connection.wire import Data
from parley_chat.constants import MAX_NAME_CHARACTERS, MAX_USER_ID_DIGITS
from parley_chat.engine import Engine
from parley_chat.errors import ChatError
from parley_chat.events.answers import Accepted
from parley_chat.events.kinds import UserId

T = TypeVar("T")


class Asking:
    """What every kind of request rests on."""

    def __init__(self, engine: Engine, deadline: float) -> None:
        self._engine = engine
        self._deadline = deadline

    @property
    def user(self) -> UserId | None:
        """Who it is: the user it is online as, or its name."""
        return self._engine.user

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
        return (await self._ask(event, data, room=room, repeat=repeat)).data

    async def emit(self, event: str, data: Data = None) -> None:
        """Send anything without asking for a reply; an error comes as `ServerError`.

        Raises:
            ConnectionLost: there is no connection now.
        """
        self._engine.emit(event, data)

    async def _ask(
        self, event: str, data: Data, *, room: str | None = None, repeat: bool = True
    ) -> Answer:
        ask = partial(self._engine.ask, event, data, room=room, repeat=repeat)
        return await self._persist(ask)

    async def _say(
        self, event: str, message: dict[str, Data], *, room: str | None = None, repeat: bool
    ) -> Accepted:
        """Send a message; it is one however often it has to be sent."""

        async def attempt() -> Answer:
            now = dict(message)
            message["resend"] = True
            return await self._engine.ask(event, now, room=room, repeat=repeat)

        return msgspec.convert((await self._persist(attempt)).data, Accepted)

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer, an error that will stay, or the deadline."""
        return await persist(ask, lambda error: error.retryable, self._deadline)

    def _me(self) -> UserId:
        """Who it is; direct chats are somebody's."""
        if self.user is None:
            raise ChatError(
                "unauthorized", "say who you are first: with a name, or by coming online"
            )
        return self.user


def check_username(username: str) -> None:
    """Refuse what the server would refuse as a name.

    Raises:
        ValueError: it cannot be a name.
    """
    if not 0 < len(username) <= MAX_NAME_CHARACTERS:
        raise ValueError(f"a name has between 1 and {MAX_NAME_CHARACTERS} characters")
    if not username.isprintable() or username != username.strip():
        raise ValueError("a name has no invisible characters and no space at its ends")


def check_user(user: UserId) -> None:
    """Refuse what the server would refuse as a user's id.

    Raises:
        ValueError: it cannot be one.
    """
    if isinstance(user, str):
        check_username(user)
    elif not 0 <= user < 10**MAX_USER_ID_DIGITS:
        raise ValueError(f"a user id of digits has at most {MAX_USER_ID_DIGITS}")
