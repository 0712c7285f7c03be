"""Tickets in the broker: passwords for one connection through any gateway."""

from hashlib import sha256

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import Client, unavailable_as_error


class TicketBroker:
    """Stores and takes tickets. The broker has only their hashes."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def keep(self, ticket: str, bearer: bytes, seconds: float) -> None:
        """Store a ticket.

        Args:
            ticket: the secret text that a client will send.
            bearer: the encoded user whom the ticket lets in; `take` returns it.
            seconds: the ticket expires after this time.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            await self._client.set(self._key(ticket), bearer, px=max(1, int(seconds * 1000)))

    async def take(self, ticket: str) -> bytes | None:
        """Use up a ticket and return its bearer; None if it is unknown, expired or used.

        Raises:
            ChatError: `broker_unavailable`; it may have been taken.
        """
        with unavailable_as_error():
            taken = await self._client.getdel(self._key(ticket))
        return taken if isinstance(taken, bytes) else None

    def _key(self, ticket: str) -> str:
        digest = sha256(ticket.encode(errors="replace")).hexdigest()
        return self._keys.of(digest).ticket(digest)
