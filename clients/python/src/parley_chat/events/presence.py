"""Who is online, as the server last told."""

import asyncio

from parley_chat.events.kinds import Event, OnlineUsers, UserId


class Presence:
    """The users online; not known until the server has told."""

    def __init__(self) -> None:
        self._users: list[UserId] = []
        self._told = asyncio.Event()

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, OnlineUsers):
            self._users = event.users
            self._told.set()

    def forget(self) -> None:
        """Nothing is told any more."""
        self._users = []
        self._told.clear()

    async def users(self) -> list[UserId]:
        """Who is online; waits until it is known."""
        await self._told.wait()
        return list(self._users)
