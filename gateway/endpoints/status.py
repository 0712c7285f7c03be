"""The cluster as one gateway sees it, for its operator, and the gauges of this gateway."""

import asyncio
from collections import Counter
from time import monotonic
from typing import Final

import msgspec

from gateway.api.gateway import Gateway
from shared.broker.partitions.overview import Overview, Server, Watchtower
from shared.errors import ChatError
from shared.metrics import Gauge
from shared.storage.reader import StoredPartition

SQL_WITHIN: Final = 2.0


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


async def status(gateway: Gateway, watchtower: Watchtower) -> Status:
    """Look at everything once."""
    seen, (stored, sql) = await asyncio.gather(watchtower.look(), _stored(gateway))
    members = seen.persisters if seen else []
    owned = Counter(seen.owners) if seen else {}
    heartbeat = gateway.cluster.heartbeat
    return Status(
        gateway=gateway.settings.gateway_name,
        waits_for=gateway.cluster.readiness.waits_for,
        gateways=[GatewayStatus(*pair) for pair in sorted(heartbeat.gateways.items())],
        persisters=[PersisterStatus(name, owned.get(name, 0)) for name in sorted(members)],
        partitions=_partitions(gateway, seen, stored),
        redis=seen.server if seen else None,
        sql=sql,
    )


async def _stored(gateway: Gateway) -> tuple[dict[int, StoredPartition], SqlStatus]:
    began = monotonic()
    dialect = gateway.cluster.reader.dialect
    try:
        async with asyncio.timeout(SQL_WITHIN):
            found = await gateway.cluster.reader.partitions()
    except (ChatError, TimeoutError):
        return {}, SqlStatus(dialect, None)
    took = round((monotonic() - began) * 1000, 1)
    return {each.number: each for each in found}, SqlStatus(dialect, took)


def _partitions(
    gateway: Gateway, seen: Overview | None, stored: dict[int, StoredPartition]
) -> list[PartitionStatus]:
    backlogs = backlog(gateway)
    states = gateway.cluster.watch.states
    found = []
    for number in range(len(gateway.cluster.keys)):
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


def backlog(gateway: Gateway) -> dict[int, int]:
    """Entries of each partition that are accepted and not stored, as of the last look."""
    return {
        number: max(0, state.last_counter - state.position)
        for number, state in enumerate(gateway.cluster.watch.states or ())
    }


def show_gauges(gateway: Gateway) -> None:
    """Let Prometheus see what this gateway has and how it is."""
    hub, fan_out = gateway.rooms.hub, gateway.rooms.fan_out
    watch, readiness = gateway.cluster.watch, gateway.cluster.readiness
    Gauge(
        "connections",
        "Clients connected here.",
        lambda: Counter(client.connection.wire.name for client in fan_out.clients),
        "protocol",
    )
    Gauge(
        "cluster_connections",
        "Clients of all gateways.",
        lambda: gateway.cluster.heartbeat.connections,
    )
    Gauge("users", "Users whose direct chats reach this gateway.", lambda: len(fan_out.users))
    Gauge(
        "rooms",
        "Rooms and chats followed here.",
        lambda: Counter(local.room.kind for local in hub.followed_rooms()),
        "kind",
    )
    Gauge("ready", "Whether it can carry messages.", lambda: readiness.waits_for is None)
    Gauge("draining", "Whether it is leaving.", lambda: readiness.draining)
    Gauge(
        "partition_backlog",
        "Entries that are accepted and not stored.",
        lambda: {str(number): count for number, count in backlog(gateway).items()},
        "partition",
    )
    Gauge(
        "partition_epoch",
        "The epoch a partition is open in; 0 while it is closed.",
        lambda: {str(n): state.epoch or 0 for n, state in enumerate(watch.states or ())},
        "partition",
    )
