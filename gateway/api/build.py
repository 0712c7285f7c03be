"""Assembly of a gateway from its parts, and the start of its background tasks."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.access.acquaintance import Acquaintance
from gateway.access.authorization import Authorization
from gateway.access.grants import Grants
from gateway.access.identity import Identity, identity_faults
from gateway.access.limits import Limits
from gateway.access.passwords import Passwords
from gateway.access.user_names import UserNames
from gateway.api.backends import Backends
from gateway.api.gateway import Access, Clients, Cluster, Gateway, Rooms
from gateway.cluster.attendance import Attendance
from gateway.cluster.control import Control
from gateway.cluster.departures import Departures
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.installation import find_installation
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.presence import Presence
from gateway.cluster.readiness import Readiness
from gateway.cluster.status import ClusterStatus
from gateway.connections.deadlines import Deadlines
from gateway.connections.flusher import Flusher
from gateway.recovery.store import SessionStore
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.head_watch import HeadWatch
from gateway.rooms.hub import Hub
from gateway.rooms.people.typing import TypingStatus
from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.chat_pages import ChatPages
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.history import History
from gateway.rooms.store.opener import RoomOpener
from gateway.rooms.store.replay import Replay
from shared.broker.partitions.members import Membership
from shared.broker.partitions.overview import ClusterInspector
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.wakes import WakeLog
from shared.broker.sessions.attendance import AttendanceBroker
from shared.broker.sessions.connected_users import ConnectedUsers
from shared.broker.sessions.limits import LimitBroker
from shared.broker.sessions.sessions import SessionBroker
from shared.broker.sessions.spellings import SpellingBroker
from shared.broker.sessions.tickets import TicketBroker
from shared.broker.transport.subscriber import Subscriber
from shared.broker.transport.url import check_broker_url
from shared.config import ConfigError, Settings
from shared.essential import PeriodicTask
from shared.storage.chats import ChatReader
from shared.storage.installation import Installation
from shared.storage.names import NameReader
from shared.storage.tables import FORMS_SINCE_MIGRATION, SCHEMA
from shared.tls import check_certificate


async def find_data(settings: Settings) -> Installation:
    """Check the settings, and find the installation that is to be served.

    Raises:
        ConfigError: a URL or a certificate cannot be used, settings contradict each other, this
            build does not read the data, or the data is another installation's.
    """
    for fault in setting_faults(settings):
        raise fault
    return await find_installation(settings)


def setting_faults(settings: Settings) -> Iterator[ConfigError]:
    """Everything that is wrong with the settings of a gateway, without a connection to anything."""
    yield from identity_faults(settings)
    try:
        if settings.tls_cert or settings.tls_key:
            check_certificate(settings.tls_cert, settings.tls_key)
    except ConfigError as error:
        yield error
    try:
        check_broker_url(settings.redis_url)
    except ConfigError as error:
        yield error


def build_gateway(settings: Settings, links: Backends, stack: AsyncExitStack) -> Gateway:
    """Assemble a gateway; its background tasks begin with `start_gateway`.

    Args:
        settings: the settings of this gateway.
        links: its connections to the broker and SQL.
        stack: closes the parts that need it.

    Raises:
        ConfigError: settings contradict each other.
    """
    keys, fence = links.keys, links.fence
    check = EpochCheck(links.reader, fence)
    flusher = Flusher()
    publisher = Publisher(links.pipe, keys, fence, settings)
    stack.push_async_callback(publisher.close)
    rooms = _rooms(settings, links, check, flusher, publisher)
    heartbeat = HeartbeatMonitor(
        publisher, settings.gateway_name, lambda: len(rooms.fan_out.clients)
    )
    cluster = _cluster(settings, links, check, rooms, heartbeat)
    stack.push_async_callback(cluster.attendance.close)
    sessions = SessionStore(
        SessionBroker(links.reads, keys, fence), rooms.hub, publisher, settings.recovery_seconds
    )
    clients = Clients(flusher, Deadlines(), sessions)
    return Gateway(settings, _access(settings, links, stack), clients, rooms, cluster)


def start_gateway(gateway: Gateway, links: Backends, stack: AsyncExitStack) -> None:
    """Subscribe to the broker's channels, and start the background tasks.

    Args:
        gateway: an assembled gateway that is not started yet.
        links: its connections to the broker and SQL.
        stack: ends the subscriptions and tasks.
    """
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
    heads = HeadWatch(rooms.hub, LogBroker(*links.broker), cluster.keys)
    running: tuple[Subscriber | PeriodicTask, ...] = (
        subscriber,
        cluster.heartbeat.task,
        rooms.follower.task,
        cluster.presence.task,
        cluster.departures.task,
        cluster.watch.task,
        rooms.durability.task,
        heads.task,
        clients.sessions.task,
        clients.deadlines.task,
    )
    for part in running:
        part.start()
        stack.push_async_callback(part.close)


def _access(settings: Settings, links: Backends, stack: AsyncExitStack) -> Access:
    limits = Limits(LimitBroker(links.pipe, links.keys), settings) if settings.limited else None
    if limits is not None:
        stack.callback(limits.close)
    passwords = Passwords()
    stack.callback(passwords.close)
    stored_names = NameReader(links.reader)
    acquaintance = Acquaintance(ConnectedUsers(links.client, links.keys), stored_names)
    stack.push_async_callback(acquaintance.close)
    identity = Identity(settings, TicketBroker(links.client, links.keys))
    user_names = UserNames(
        stored_names, SpellingBroker(links.reads, links.keys), proven=identity.required
    )
    stack.push_async_callback(user_names.close)
    return Access(
        identity=identity,
        user_names=user_names,
        acquaintance=acquaintance,
        authorization=Authorization(settings.auth_mode),
        passwords=passwords,
        grants=Grants(settings),
        limits=limits,
    )


def _rooms(
    settings: Settings, links: Backends, check: EpochCheck, flusher: Flusher, publisher: Publisher
) -> Rooms:
    keys, fence, reader = links.keys, links.fence, links.reader
    logs, chat_reader = LogBroker(*links.broker), ChatReader(reader)
    broker = RoomBroker(*links.broker, settings.backlog_of(len(keys)))
    directory, replay = Directory(broker, reader), Replay(logs, reader)
    RoomOpener(publisher, directory)
    hub = Hub(keys, replay, flusher)
    chats = ChatList(broker, logs, chat_reader, check, fence)
    history = History(logs, directory, reader, check, keys, fence)
    wakes = WakeLog(PartitionReader(links.reads, keys, fence))
    return Rooms(
        hub=hub,
        fan_out=hub.fan_out,
        follower=ChatFollower(hub, chats, wakes, keys, settings),
        directory=directory,
        history=history,
        replay=replay,
        chats=chats,
        chat_pages=ChatPages(chats, history),
        cursors=Cursors(CursorBroker(*links.broker, settings), directory, chat_reader),
        typing=TypingStatus(publisher, settings.wake_after, keys),
        durability=Durability(PartitionProbe(links.reads, keys, fence), reader),
        publisher=publisher,
    )


def _cluster(
    settings: Settings,
    links: Backends,
    check: EpochCheck,
    rooms: Rooms,
    heartbeat: HeartbeatMonitor,
) -> Cluster:
    keys, installation = links.keys, links.installation
    counter = AttendanceBroker(links.pipe, keys, links.fence)
    attendance = Attendance(counter, heartbeat.incarnation)
    rooms.hub.on_put_out = attendance.was_put_out
    limit = settings.broadcast_limit
    departures = Departures(attendance, counter, heartbeat, rooms.publisher, links.fence, limit)
    presence = Presence(rooms.fan_out, heartbeat, rooms.publisher, rooms.chats.partners, limit)
    rooms.follower.on_new_chat = presence.chat_created
    membership = Membership(
        links.reads,
        keys,
        heartbeat.incarnation,
        "gateway",
        schema=SCHEMA,
        database=installation.stored_in,
    )

    async def reconnect_to_broker() -> None:
        """Drop all connections to the broker; new ones find the server that leads now."""
        links.pipe.renew()
        links.reads.renew()
        rooms.hub.renew()
        await links.client.connection_pool.disconnect()

    watch = PartitionWatch(
        probe=PartitionProbe(links.reads, keys, links.fence),
        membership=membership,
        check=check,
        keys=keys,
        settings=settings,
        opened=rooms.hub.opened,
        left_behind=reconnect_to_broker,
    )
    rooms.directory.names.all_know_forms = lambda: watch.all_know_schema(FORMS_SINCE_MIGRATION)
    readiness = Readiness(heartbeat, watch)
    status = ClusterStatus(
        settings.gateway_name,
        ClusterInspector(links.client, keys),
        links.reader,
        heartbeat,
        watch,
        readiness,
        data_dir=Path(settings.data_dir),
    )
    return Cluster(keys, heartbeat, attendance, departures, presence, watch, readiness, status)
