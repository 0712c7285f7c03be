"""Names that have been used here: tells a name that nobody has from that of a user who is away."""

import asyncio
import contextlib
from typing import Final

from shared.broker.sessions.connected_users import ConnectedUsers
from shared.errors import ChatError
from shared.storage.names import NameReader

MAX_USERS_PER_CALL: Final = 250
"""Users that are noted in one call."""

MAX_PENDING_USERS: Final = 10_000
"""Users that wait to be noted while the broker is away; beyond that the first are dropped."""

RETRY_SECONDS: Final = 1.0


class Acquaintance:
    """Notes the users who connect here, and looks up who has connected anywhere."""

    def __init__(self, users: ConnectedUsers, stored: NameReader) -> None:
        self._users = users
        self._stored = stored
        # In the order in which they connected. All that come while a call is under way go with the
        # next one, so that a wave of reconnects costs few writes of the broker.
        self._pending: dict[str, None] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, user: str) -> None:
        """Note that a user has connected."""
        self._pending[user] = None
        if len(self._pending) > MAX_PENDING_USERS:
            del self._pending[next(iter(self._pending))]
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def has(self, user: str) -> bool:
        """Return True if a user has connected lately, or ever left anything that is stored.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        if user in self._pending or await self._users.has(user):
            return True
        return await self._stored.has_user(user)

    async def close(self) -> None:
        """End the writing, which may leave users unnoted."""
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing

    async def _write(self) -> None:
        while self._pending:
            users = list(self._pending)[:MAX_USERS_PER_CALL]
            try:
                await self._users.note(users)
            except ChatError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for user in users:
                self._pending.pop(user, None)
