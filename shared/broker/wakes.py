"""The wake log: chats that were quiet and have news, for gateways that did not hear."""

from typing import Any

from shared import codec
from shared.broker.client import Client, unavailable_as_error
from shared.broker.keys import PartitionKeys
from shared.model.events import Event
from shared.model.ids import counter_of
from shared.telemetry import logger

log = logger(__name__)


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

    async def since(self, number: int, counter: int, most: int) -> list[Event | None]:
        """Wakes of a partition after one, in order; None for one that this build cannot read.

        Raises:
            ChatError: `broker_unavailable`.
        """
        stream = PartitionKeys(number).wakes
        with unavailable_as_error():
            rows: Any = await self._client.xrange(stream, f"({counter}-0", "+", most)
        wakes: list[Event | None] = []
        for place, fields in rows:
            try:
                wakes.append(codec.decode(fields[b"e"]))
            except codec.CodecError as error:
                wakes.append(None)  # of a newer gateway
                log.warning("wake not understood", stream=stream, place=place, reason=str(error))
        return wakes

    @staticmethod
    def counter(wake: Event) -> int:
        """The place of a wake in its log."""
        return counter_of(wake.id)
