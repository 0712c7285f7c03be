"""Tickets in the broker: whom each lets in, once, through any gateway."""

from hashlib import sha256

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import Client, unavailable_as_error


class TicketBroker:
    """The tickets of all gateways. The broker knows their hashes only."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def keep(self, ticket: str, bearer: bytes, seconds: float) -> None:
        """Keep whom a ticket lets in.

        Args:
            ticket: the secret.
            bearer: what `take` gives back.
            seconds: how long it is good for.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            await self._client.set(self._key(ticket), bearer, px=max(1, int(seconds * 1000)))

    async def take(self, ticket: str) -> bytes | None:
        """Take a ticket, which is none any more; None for one that is not, or was used before.

        Raises:
            ChatError: `broker_unavailable`; it may have been taken.
        """
        with unavailable_as_error():
            taken = await self._client.getdel(self._key(ticket))
        return taken if isinstance(taken, bytes) else None

    def _key(self, ticket: str) -> str:
        digest = sha256(ticket.encode(errors="replace")).hexdigest()
        return self._keys.of(digest).ticket(digest)
