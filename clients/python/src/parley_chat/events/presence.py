"""Users who are online, by the last event of the server."""

import asyncio

from parley_chat.events.kinds import Event, OnlineUsers, UserId


class Presence:
    """Users who are online; unknown until the server has sent them."""

    def __init__(self) -> None:
        self._users: list[UserId] = []
        self._known = asyncio.Event()

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, OnlineUsers):
            self._users = event.users
            self._known.set()

    def forget(self) -> None:
        """Forget the users, since the server sends no more changes."""
        self._users = []
        self._known.clear()

    async def users(self) -> list[UserId]:
        """Return the users who are online, once that is known."""
        await self._known.wait()
        return list(self._users)
