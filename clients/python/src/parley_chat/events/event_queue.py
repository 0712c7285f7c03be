"""The events on their way to whoever iterates over them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Self

from parley_chat.events.kinds import Event

HURRY: Final = 16
"""How many times its limit the queue may hold while a reply is awaited, which lies behind it."""


class EventQueue:
    """Bounded: whoever fills it waits for `space` first, then pushes what one frame brought."""

    def __init__(self, limit: int, hurried: Callable[[], bool]) -> None:
        """Make an empty queue.

        Args:
            limit: events that may wait.
            hurried: whether a reply is awaited: the one who awaits it may be the one who should
                empty the queue.
        """
        self._limit = limit
        self._hurried = hurried
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._events)

    async def space(self) -> None:
        """Wait until an event may be pushed."""
        while self._is_full():
            self._emptied.clear()
            await self._emptied.wait()

    def push(self, event: Event) -> None:
        """Add an event, beyond the limit if need be."""
        if not self._closed:
            self._events.append(event)
            self._filled.set()

    def look(self) -> None:
        """A reply is awaited from now on: look again whether there is space."""
        self._emptied.set()

    async def get(self) -> Event | None:
        """Take the oldest event; None when the queue is closed and empty."""
        while not self._events:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        return self._events.popleft()

    def close(self) -> None:
        """Take nothing more; what is there can still be got."""
        self._closed = True
        self._filled.set()
        self._emptied.set()

    def _is_full(self) -> bool:
        limit = self._limit * HURRY if self._hurried() else self._limit
        return not self._closed and len(self._events) >= limit


class Events:
    """An iterator over events, oldest first; it ends when the client is closed."""

    def __init__(self, following: Callable[[], Awaitable[Event | None]]) -> None:
        self._following = following

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._following()
        if event is None:
            raise StopAsyncIteration
        return event
