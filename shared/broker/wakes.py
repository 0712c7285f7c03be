"""The wake log: chats that were quiet and have news, for gateways that did not hear."""

from typing import Any

from shared import codec
from shared.broker.client import Client, unavailable_as_error
from shared.broker.keys import PartitionKeys
from shared.model.events import Event
from shared.model.ids import counter_of


class WakeLog:
    """The last wakes of all partitions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def last(self, number: int) -> int:
        """The counter of the last wake of a partition; 0 for none.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            rows: Any = await self._client.xrevrange(PartitionKeys(number).wakes, count=1)
        return int(rows[0][0].partition(b"-")[0]) if rows else 0

    async def since(self, number: int, counter: int, most: int) -> list[Event]:
        """Wakes of a partition after one, in order.

        Raises:
            ChatError: `broker_unavailable`.
        """
        stream = PartitionKeys(number).wakes
        with unavailable_as_error():
            rows: Any = await self._client.xrange(stream, f"({counter}-0", "+", most)
        return [codec.decode(fields[b"e"]) for _, fields in rows]

    @staticmethod
    def counter(wake: Event) -> int:
        """The place of a wake in its log."""
        return counter_of(wake.id)
