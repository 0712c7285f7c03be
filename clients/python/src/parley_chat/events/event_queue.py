"""The queue between the connection and the application that iterates over events."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Self

from parley_chat.events.kinds import Event

AWAITED_REPLY_FACTOR: Final = 16
"""Factor on the limit of the queue while a reply is awaited, which arrives behind the events."""


class EventQueue:
    """A bounded queue: wait for `space`, then push all events of one frame."""

    def __init__(self, limit: int, reply_awaited: Callable[[], bool]) -> None:
        """Make an empty queue.

        Args:
            limit: Events that may wait.
            reply_awaited: Returns whether the application awaits a reply. A program with one task
                reads no events meanwhile: the queue would stay full, and the reply unread.
        """
        self._limit = limit
        self._reply_awaited = reply_awaited
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
        """Look again whether there is space, since a reply is awaited now."""
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
        """Accept no more events; those in the queue can still be taken."""
        self._closed = True
        self._filled.set()
        self._emptied.set()

    def _is_full(self) -> bool:
        limit = self._limit * AWAITED_REPLY_FACTOR if self._reply_awaited() else self._limit
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
