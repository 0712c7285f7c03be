"""The gauges of a gateway, for Prometheus."""

from collections import Counter
from pathlib import Path

from gateway.api.gateway import Gateway
from shared.metrics import Gauge
from shared.tls.certificate import read_expiry, remaining


def show_gauges(gateway: Gateway, data_dir: Path) -> None:
    """Register the gauges of a gateway: connections, users, rooms, readiness and partitions.

    Args:
        gateway: what they show.
        data_dir: where the load balancer's certificate is, if it has one.
    """
    _show_certificate(data_dir / "run")
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
        lambda: {str(number): count for number, count in gateway.cluster.status.backlog.items()},
        "partition",
    )
    Gauge(
        "partition_epoch",
        "The epoch a partition is open in; 0 while it is closed.",
        lambda: {str(n): state.epoch or 0 for n, state in enumerate(watch.states or ())},
        "partition",
    )


def _show_certificate(run: Path) -> None:
    """Show the certificate of the load balancer, which has no metrics of its own."""
    if read_expiry(run) is None:
        return

    def left() -> float:
        expires = read_expiry(run)
        return remaining(expires) if expires else float("nan")

    Gauge("certificate_expires_seconds", "Seconds until the certificate expires.", left)
