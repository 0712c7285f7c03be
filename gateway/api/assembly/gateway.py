"""Assembly of a gateway from its parts, and the start of its background tasks."""

from contextlib import AsyncExitStack

from gateway.api.assembly.access import build_access
from gateway.api.assembly.cluster import build_cluster, revocation_watch
from gateway.api.assembly.rooms import build_rooms
from gateway.api.backends import Backends
from gateway.api.gateway import Clients, Gateway
from gateway.cluster.control import Control
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.connections.deadlines import Deadlines
from gateway.connections.flusher import Flusher
from gateway.connections.intake import IntakeRates, Intakes
from gateway.recovery.store import SessionStore
from gateway.rooms.head_watch import HeadWatch
from gateway.rooms.store.epoch_check import EpochCheck
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.sessions.sessions import SessionBroker
from shared.broker.transport.subscriber import Subscriber
from shared.config import Settings
from shared.essential import PeriodicTask
from shared.trail import SUMMARY_SECONDS


def build_gateway(settings: Settings, links: Backends, stack: AsyncExitStack) -> Gateway:
    """Assemble a gateway, whose background tasks begin with `start_gateway`; `stack` closes it.

    Raises:
        ConfigError: settings contradict each other.
    """
    keys, fence = links.keys, links.fence
    check = EpochCheck(links.reader, fence)
    flusher = Flusher()
    publisher = Publisher(links.pipe, keys, fence, settings)
    stack.push_async_callback(publisher.close)
    rooms = build_rooms(settings, links, check, flusher, publisher)
    heartbeat = HeartbeatMonitor(
        publisher, settings.gateway_name, lambda: len(rooms.fan_out.clients)
    )
    access = build_access(settings, links, stack)
    sessions = SessionStore(
        SessionBroker(links.reads, keys, fence), rooms.hub, publisher, settings.recovery_seconds
    )
    revocations = revocation_watch(links, access, rooms, sessions)
    cluster = build_cluster(settings, links, check, rooms, heartbeat, access, revocations)
    stack.push_async_callback(cluster.attendance.close)
    stack.push_async_callback(cluster.guests.close)
    intakes = Intakes(IntakeRates.of(settings)) if settings.limited else None
    clients = Clients(flusher, Deadlines(), sessions, intakes)
    return Gateway(settings, access, clients, rooms, cluster)


def start_gateway(gateway: Gateway, links: Backends, stack: AsyncExitStack) -> None:
    """Subscribe to the broker's channels, and start the background tasks.

    Args:
        gateway: an assembled gateway that is not started yet.
        links: its connections to the broker and SQL.
        stack: ends the subscriptions and tasks.
    """
    subscriber = _subscribe(gateway)
    heads = HeadWatch(gateway.rooms.hub, LogBroker(*links.broker), gateway.cluster.keys)
    running: tuple[Subscriber | PeriodicTask, ...] = (subscriber, heads.task, *_tasks(gateway))
    for part in running:
        part.start()
        stack.push_async_callback(part.close)


def _subscribe(gateway: Gateway) -> Subscriber:
    """Return the subscriber, not started yet, to the channels that a gateway always follows."""
    rooms, cluster, clients = gateway.rooms, gateway.cluster, gateway.clients
    control = Control(
        rooms.hub,
        rooms.follower,
        rooms.durability,
        clients.sessions,
        cluster.heartbeat,
        cluster.presence,
        cluster.keys,
    )
    subscriber = Subscriber(gateway.settings.redis_url, control.receive, control.subscribed)
    rooms.hub.attach(subscriber)
    for channel in (*(part.everyone for part in cluster.keys.partitions), *rooms.follower.channels):
        subscriber.subscribe(channel)
    return subscriber


def _tasks(gateway: Gateway) -> tuple[PeriodicTask, ...]:
    rooms, cluster, clients = gateway.rooms, gateway.cluster, gateway.clients
    return (
        cluster.heartbeat.task,
        rooms.follower.task,
        cluster.presence.task,
        cluster.departures.task,
        cluster.guests.task,
        cluster.watch.task,
        rooms.durability.task,
        clients.sessions.task,
        clients.deadlines.task,
        *cluster.revocations.tasks,
        *filter(None, (gateway.access.identity.keys_task,)),
        PeriodicTask(gateway.access.trail.end_period, SUMMARY_SECONDS, "security summaries"),
    )
