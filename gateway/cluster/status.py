"""The cluster as one gateway sees it, for its operator."""

import asyncio
from collections import Counter
from time import monotonic
from typing import Final

import msgspec

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.readiness import Readiness
from shared.broker.partitions.overview import ClusterInspector, Overview, Server
from shared.errors import ChatError
from shared.storage.reader import Reader, StoredPartition

SQL_TIMEOUT_SECONDS: Final = 2.0


class GatewayStatus(msgspec.Struct, frozen=True):
    """A gateway that was heard lately."""

    name: str
    connections: int


class PersisterStatus(msgspec.Struct, frozen=True):
    """A persister that lives."""

    name: str
    partitions: int


class PartitionStatus(msgspec.Struct, frozen=True, rename="camel"):
    """A partition; None stands for what cannot be known now.

    Attributes:
        open: whether it accepts sends.
        backlog: entries that are accepted and not stored yet.
        stored: the position in SQL.
        owner: the persister that has its lease, by incarnation.
    """

    number: int
    open: bool | None
    epoch: int | None
    backlog: int | None
    stored: int | None
    owner: str | None
    dead_letters: int | None


class SqlStatus(msgspec.Struct, frozen=True):
    """The database, and how long it took to answer; None while it does not."""

    dialect: str
    milliseconds: float | None


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """All of it.

    Attributes:
        gateway: which one answers.
        waits_for: what it lacks to carry messages, if anything.
        redis: None while it does not answer.
    """

    gateway: str
    waits_for: str | None
    gateways: list[GatewayStatus]
    persisters: list[PersisterStatus]
    partitions: list[PartitionStatus]
    redis: Server | None
    sql: SqlStatus


class ClusterStatus:
    """Looks at everything once, when an operator asks."""

    def __init__(
        self,
        gateway_name: str,
        inspector: ClusterInspector,
        reader: Reader,
        heartbeat: HeartbeatMonitor,
        watch: PartitionWatch,
        readiness: Readiness,
    ) -> None:
        self._gateway_name = gateway_name
        self._watchtower = inspector
        self._reader = reader
        self._heartbeat = heartbeat
        self._readiness = readiness
        self._watch = watch

    async def inspect(self) -> Status:
        """How the cluster is now."""
        seen, (stored, sql) = await asyncio.gather(self._watchtower.inspect(), self._stored())
        members = seen.persisters if seen else []
        owned = Counter(seen.owners) if seen else {}
        return Status(
            gateway=self._gateway_name,
            waits_for=self._readiness.waits_for,
            gateways=[GatewayStatus(*pair) for pair in sorted(self._heartbeat.gateways.items())],
            persisters=[PersisterStatus(name, owned.get(name, 0)) for name in sorted(members)],
            partitions=self._partitions(seen, stored),
            redis=seen.server if seen else None,
            sql=sql,
        )

    @property
    def backlog(self) -> dict[int, int]:
        """Entries of each partition that are accepted and not stored, as of the last look."""
        return {
            number: max(0, state.last_counter - state.position)
            for number, state in enumerate(self._watch.states or ())
        }

    async def _stored(self) -> tuple[dict[int, StoredPartition], SqlStatus]:
        began = monotonic()
        dialect = self._reader.dialect
        try:
            async with asyncio.timeout(SQL_TIMEOUT_SECONDS):
                found = await self._reader.partitions()
        except (ChatError, TimeoutError):
            return {}, SqlStatus(dialect, None)
        took = round((monotonic() - began) * 1000, 1)
        return {each.number: each for each in found}, SqlStatus(dialect, took)

    def _partitions(
        self, seen: Overview | None, stored: dict[int, StoredPartition]
    ) -> list[PartitionStatus]:
        backlogs, states = self.backlog, self._watch.states
        found = []
        for number in range(self._watch.partitions):
            state = states[number] if states else None
            row = stored.get(number)
            found.append(
                PartitionStatus(
                    number=number,
                    open=state.epoch is not None if state else None,
                    epoch=row.epoch if row else state.epoch if state else None,
                    backlog=backlogs.get(number),
                    stored=row.position if row else None,
                    owner=seen.owners[number] if seen else None,
                    dead_letters=seen.dead_letters[number] if seen else None,
                )
            )
        return found
