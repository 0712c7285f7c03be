"""Tickets in the broker: passwords for one connection through any gateway."""

from hashlib import sha256
from typing import NamedTuple

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import Client, unavailable_as_error


class StoredTicket(NamedTuple):
    """The user behind a ticket, encoded.

    Attributes:
        bearer: the user whom the ticket lets in.
        more: what else is known of the user's token, under a key of its own, as older builds read
            the first one; None in the tickets of those.
    """

    bearer: bytes
    more: bytes | None


class TicketBroker:
    """Stores and takes tickets. The broker has only their hashes."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def keep(self, ticket: str, stored: StoredTicket, seconds: float) -> None:
        """Store a ticket.

        Args:
            ticket: the secret text that a client will send.
            stored: what `take` returns.
            seconds: the ticket expires after this time.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            key, more_key = self._keys_of(ticket)
            milliseconds = max(1, int(seconds * 1000))
            # Not later than the ticket itself, which would else be taken without it.
            await self._client.set(more_key, stored.more or b"", px=milliseconds + 1000)
            await self._client.set(key, stored.bearer, px=milliseconds)

    async def take(self, ticket: str) -> StoredTicket | None:
        """Use up a ticket and return what it stands for; None if it is unknown, expired or used.

        Raises:
            ChatError: `broker_unavailable`; it may have been taken.
        """
        with unavailable_as_error():
            key, more_key = self._keys_of(ticket)
            taken = await self._client.getdel(key)
            if not isinstance(taken, bytes):
                return None
            more = await self._client.getdel(more_key)
        return StoredTicket(taken, more if isinstance(more, bytes) and more else None)

    def _keys_of(self, ticket: str) -> tuple[str, str]:
        digest = sha256(ticket.encode(errors="replace")).hexdigest()
        keys = self._keys.of(digest)
        return keys.ticket(digest), keys.ticket_token(digest)
