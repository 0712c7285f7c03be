"""What rooms and chats need of the connection."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from parley_chat.connection.patience import persist
from parley_chat.connection.pending import Answer
from parley_chat.connection.wire import Data
from parley_chat.events.kinds import Event, UserId

T = TypeVar("T")


class Line(Protocol):
    """What entering and catching up need of the connection."""

    @property
    def user(self) -> UserId | None:
        """Who this client is."""
        ...

    async def ask(
        self, event: str, data: Data, *, room: str | None = None, repeat: bool = False
    ) -> Answer:
        """Request, and wait for the answer."""
        ...

    async def space(self) -> None:
        """Wait until there is space for events."""
        ...

    def show(self, events: Sequence[Event]) -> None:
        """Hand events to the application."""
        ...

    def post(self) -> None:
        """Send what waited for a room."""
        ...

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Do something for as long as the present connection lasts."""
        ...


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask for as long as the connection lasts."""
    return await persist(ask, lambda error: error.retryable or error.code == "internal")
