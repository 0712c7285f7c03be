"""The part of the engine that rooms and chats use."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from parley_chat.connection.pending import Answer
from parley_chat.connection.retries import retry_transient
from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError
from parley_chat.events.kinds import Event, UserId

T = TypeVar("T")

ANSWER_TIMEOUT_SECONDS: Final = 30.0
"""Time for an answer, after which the request is sent again."""


class LogContext(Protocol):
    """The part of the engine that joining and catching up use."""

    @property
    def user(self) -> UserId | None:
        """User that this client acts as."""
        ...

    async def ask(
        self, event: str, data: Data, *, room: str | None = None, idempotent: bool = False
    ) -> Answer:
        """Send a request, and wait for the answer."""
        ...

    async def space(self) -> None:
        """Wait until the event queue has space."""
        ...

    def show(self, events: Sequence[Event]) -> None:
        """Put events into the queue for the application."""
        ...

    def post(self) -> None:
        """Send the requests that waited for a room to be joined."""
        ...

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Run a task until it or the present connection ends."""
        ...


async def ask_until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Repeat a request until it succeeds, fails for good, or the connection ends."""

    async def in_time() -> T:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                return await ask()
        except TimeoutError:
            raise ChatError("timeout", "the server did not answer") from None

    transient = {"internal", "timeout"}
    return await retry_transient(in_time, lambda error: error.retryable or error.code in transient)
