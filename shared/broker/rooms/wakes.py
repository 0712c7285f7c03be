"""The wake log: recent wakes of direct chats, for gateways that missed the published ones."""

from shared import codec
from shared.broker.partitions.reading import PartitionReader
from shared.model.events import Event
from shared.model.ids import counter_of
from shared.telemetry import logger

log = logger(__name__)


class WakeLog:
    """Reads the wake logs of all partitions."""

    def __init__(self, reader: PartitionReader) -> None:
        self._reader = reader

    async def last(self, number: int) -> int:
        """Read the counter of the last wake of a partition; 0 for none.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._reader.keys[number]
        newest = ("+", "-", "COUNT", 1)
        rows = await self._reader.read(part, "XREVRANGE", part.wakes, words=newest)
        return int(rows[0][0].partition(b"-")[0]) if rows else 0

    async def since(self, number: int, counter: int, limit: int) -> list[Event | None]:
        """Read wakes after `counter`, in order; None for one that this build cannot read.

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
                wakes.append(None)  # published by a newer build
                log.warning(
                    "a wake could not be read", stream=part.wakes, place=place, reason=str(error)
                )
        return wakes

    @staticmethod
    def counter(wake: Event) -> int:
        """The counter of a wake: its entry in the wake log."""
        return counter_of(wake.id)
