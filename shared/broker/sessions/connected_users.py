"""Names under which users have connected lately, in the broker, as many as a fixed number."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import Client, Script, unavailable_as_error

MAX_USERS: Final = 100_000
"""Users that an installation remembers. Those who connected longest ago are forgotten first."""


class ConnectedUsers:
    """Remembers who has connected, which SQL does not know of users who never wrote."""

    def __init__(self, client: Client, keys: Keyspace, max_users: int = MAX_USERS) -> None:
        """Prepare.

        Args:
            client: notes and looks up, which is rare beside messages.
            keys: the installation's keys.
            max_users: users that the installation remembers.
        """
        self._client = client
        self._keys = keys
        self._max_users = -(-max_users // len(keys))  # of each partition, rounded up
        self._note = Script(client, "note_users")

    async def note(self, users: Collection[str]) -> None:
        """Note that users have connected now.

        Raises:
            ChatError: `broker_unavailable`; some of them may be noted.
        """
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for user in users:
            by_key[self._keys.of(user).connected].append(user)
        with unavailable_as_error():
            for key, names in by_key.items():
                await self._note([key], [self._max_users, *names])

    async def has(self, user: str) -> bool:
        """Return True if a user is among those who connected last.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            return await self._client.zscore(self._keys.of(user).connected, user) is not None
