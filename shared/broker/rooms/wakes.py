"""The wake log: chats that were quiet and have news, for gateways that did not hear."""

from shared import codec
from shared.broker.partitions.reading import PartitionReader
from shared.model.events import Event
from shared.model.ids import counter_of
from shared.telemetry import logger

log = logger(__name__)


class WakeLog:
    """The last wakes of all partitions."""

    def __init__(self, reader: PartitionReader) -> None:
        self._reader = reader

    async def last(self, number: int) -> int:
        """The counter of the last wake of a partition; 0 for none.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._reader.keys[number]
        newest = ("+", "-", "COUNT", 1)
        rows = await self._reader.read(part, "XREVRANGE", part.wakes, words=newest)
        return int(rows[0][0].partition(b"-")[0]) if rows else 0

    async def since(self, number: int, counter: int, limit: int) -> list[Event | None]:
        """Wakes of a partition after one, in order; None for one that this build cannot read.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._reader.keys[number]
        later = (f"({counter}-0", "+", "COUNT", limit)
        rows = await self._reader.read(part, "XRANGE", part.wakes, words=later)
        wakes: list[Event | None] = []
        for place, fields in rows:
            try:
                wakes.append(codec.decode(fields[1]))
            except codec.CodecError as error:
                wakes.append(None)  # of a newer gateway
                log.warning(
                    "wake not understood", stream=part.wakes, place=place, reason=str(error)
                )
        return wakes

    @staticmethod
    def counter(wake: Event) -> int:
        """The place of a wake in its log."""
        return counter_of(wake.id)
