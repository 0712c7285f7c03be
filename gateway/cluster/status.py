"""The state of the cluster as one gateway sees it, for the operator's status page."""

import asyncio
from collections import Counter
from pathlib import Path
from time import monotonic, time
from typing import Final

import msgspec

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.readiness import Readiness
from shared.broker.partitions.overview import ClusterInspector, Overview, Server
from shared.errors import ChatError
from shared.storage.reader import Reader, StoredPartition
from shared.supervision import ProcessState, read_supervision

SQL_TIMEOUT_SECONDS: Final = 2.0


class GatewayStatus(msgspec.Struct, frozen=True):
    """A gateway that sent a heartbeat lately."""

    name: str
    connections: int


class PersisterStatus(msgspec.Struct, frozen=True):
    """A running persister, with its number of partitions, and why it cannot store if it cannot."""

    name: str
    partitions: int
    outage: str | None


class PartitionStatus(msgspec.Struct, frozen=True, rename="camel"):
    """A partition; None stands for a value that is not known now.

    Attributes:
        open: True if the partition accepts sends.
        backlog: number of entries that are accepted and not stored yet.
        stored: the position in SQL.
        owner: incarnation of the persister that has the partition's lease.
    """

    number: int
    open: bool | None
    epoch: int | None
    backlog: int | None
    stored: int | None
    owner: str | None
    dead_letters: int | None


class SqlStatus(msgspec.Struct, frozen=True):
    """The database, and the time that it took to answer; None while it does not."""

    dialect: str
    milliseconds: float | None


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The whole status.

    Attributes:
        gateway: name of the gateway that answers.
        now: its time, Unix ms.
        waits_for: the part that this gateway lacks to be ready; None while it is ready.
        redis: None while the server does not answer.
        processes: the processes of this machine; None where no supervisor of ours runs them.
    """

    gateway: str
    now: int
    waits_for: str | None
    gateways: list[GatewayStatus]
    persisters: list[PersisterStatus]
    partitions: list[PartitionStatus]
    redis: Server | None
    sql: SqlStatus
    processes: list[ProcessState] | None


class ClusterStatus:
    """Reads the status when an operator asks for it."""

    def __init__(
        self,
        gateway_name: str,
        inspector: ClusterInspector,
        reader: Reader,
        heartbeat: HeartbeatMonitor,
        watch: PartitionWatch,
        readiness: Readiness,
        *,
        data_dir: Path,
    ) -> None:
        self._gateway_name = gateway_name
        self._inspector = inspector
        self._reader = reader
        self._heartbeat = heartbeat
        self._readiness = readiness
        self._watch = watch
        self._data_dir = data_dir

    async def inspect(self) -> Status:
        """Read the state of the cluster from the broker and SQL, at the same time."""
        overview, (stored, sql), processes = await asyncio.gather(
            self._inspector.inspect(),
            self._read_sql(),
            asyncio.to_thread(read_supervision, self._data_dir),
        )
        members = overview.persisters if overview else {}
        owned = Counter(overview.owners) if overview else {}
        return Status(
            gateway=self._gateway_name,
            now=int(time() * 1000),
            waits_for=self._readiness.waits_for,
            gateways=[GatewayStatus(*pair) for pair in sorted(self._heartbeat.gateways.items())],
            persisters=[
                PersisterStatus(name, owned.get(name, 0), outage or None)
                for name, outage in sorted(members.items())
            ],
            partitions=self._partitions(overview, stored),
            redis=overview.server if overview else None,
            sql=sql,
            processes=processes,
        )

    @property
    def backlog(self) -> dict[int, int]:
        """Number of entries that are accepted and not stored yet, by partition."""
        return {
            number: max(0, state.last_counter - state.position)
            for number, state in enumerate(self._watch.states or ())
        }

    async def _read_sql(self) -> tuple[dict[int, StoredPartition], SqlStatus]:
        started = monotonic()
        dialect = self._reader.dialect
        try:
            async with asyncio.timeout(SQL_TIMEOUT_SECONDS):
                found = await self._reader.partitions()
        except (ChatError, TimeoutError):
            return {}, SqlStatus(dialect, None)
        milliseconds = round((monotonic() - started) * 1000, 1)
        return {each.number: each for each in found}, SqlStatus(dialect, milliseconds)

    def _partitions(
        self, overview: Overview | None, stored: dict[int, StoredPartition]
    ) -> list[PartitionStatus]:
        backlogs, states = self.backlog, self._watch.states
        partitions = []
        for number in range(self._watch.partitions):
            state = states[number] if states else None
            row = stored.get(number)
            partitions.append(
                PartitionStatus(
                    number=number,
                    open=state.epoch is not None if state else None,
                    epoch=row.epoch if row else state.epoch if state else None,
                    backlog=backlogs.get(number),
                    stored=row.position if row else None,
                    owner=overview.owners[number] if overview else None,
                    dead_letters=overview.dead_letters[number] if overview else None,
                )
            )
        return partitions
