"""The composition root: opens a gateway's parts in order, closes them in reverse."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from gateway.access.authorization import Authorization
from gateway.access.grants import Grants
from gateway.access.identity import Identity
from gateway.access.limits import Limits
from gateway.access.passwords import Passwords
from gateway.api.services import Services
from gateway.cluster.control import Incoming
from gateway.cluster.heartbeat import Pulse
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.presence import Presence
from gateway.cluster.readiness import Readiness
from gateway.connections.deadlines import IDENTIFY_WITHIN, Deadlines
from gateway.connections.flusher import Flusher
from gateway.endpoints import health, responses, web, websocket
from gateway.endpoints.admin import make_admin
from gateway.endpoints.admin_server import serving_admin
from gateway.endpoints.guard import Guard
from gateway.endpoints.rest import chats, openapi, tickets
from gateway.endpoints.security_headers import SecurityHeaders
from gateway.endpoints.socketio.chat import SocketIOChat
from gateway.endpoints.socketio.namespaces import CONNECT_WITHIN, SocketIOApplication
from gateway.endpoints.socketio.server import EngineServer
from gateway.endpoints.status import show_gauges
from gateway.protocols.engineio.settings import EngineSettings
from gateway.protocols.frames import MOST_FRAME
from gateway.recovery.store import Sessions
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.head_watch import HeadWatch
from gateway.rooms.hub import Hub
from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.history import History
from gateway.rooms.store.replay import Replay
from gateway.rooms.typing import TypingStatus
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import Membership
from shared.broker.partitions.overview import Watchtower
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.wakes import WakeLog
from shared.broker.sessions.limits import LimitBroker
from shared.broker.sessions.sessions import SessionBroker
from shared.broker.sessions.tickets import TicketBroker
from shared.broker.transport.client import Client, connect
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.subscriber import Subscriber
from shared.config import Settings
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.metrics import LoopLag
from shared.storage.chats import ChatReader
from shared.storage.engine import open_engine
from shared.storage.installation import Installation
from shared.storage.reader import Reader
from shared.storage.tables import SCHEMA
from shared.telemetry import logger

log = logger(__name__)


def make_app(
    settings: Settings, installation: Installation, admin: socket.socket | None = None
) -> Starlette:
    """The ASGI application of one gateway.

    Args:
        settings: of this gateway.
        installation: whose data it serves.
        admin: where it serves its operator, if it does.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _open(app, settings, installation, stack)
            if admin is not None:
                await _open_admin(app.state.services, admin, stack)
            log.info("gateway starts", host=settings.host, port=settings.port)
            yield
        log.info("gateway ended")

    async def socketio(scope: Scope, receive: Receive, send: Send) -> None:
        await app.state.socketio(scope, receive, send)

    routes = [
        # In this order they are tried; most that comes is a client that connects.
        WebSocketRoute("/ws", websocket.chat),
        Mount("/socket.io", socketio),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route("/chats", chats.Chats),
        Route("/chats/user/{user:path}", chats.ChatsOfUser),
        Route("/chats/{chat}", chats.Chat),
        Route("/tickets", tickets.Tickets),
        Route("/openapi.json", openapi.document),
        *web.routes(),
    ]
    errors = {
        ChatError: responses.chat_error,
        HTTPException: responses.http_error,
        Exception: responses.server_error,
    }
    guard = Middleware(Guard, origins=settings.origins, trusted=settings.trusted_proxies)
    app = Starlette(routes=routes, middleware=[guard], lifespan=lifespan, exception_handlers=errors)
    return app


class _Links(NamedTuple):
    """What a gateway is connected to: the broker in three ways, and SQL; whose data is there.

    Attributes:
        fence: what was seen of the partitions, wherever it was seen.
    """

    client: Client
    pipe: Pipe
    reads: Pipe
    reader: Reader
    installation: Installation
    keys: Keyspace
    fence: Fence


async def _open(
    app: Starlette, settings: Settings, installation: Installation, stack: AsyncExitStack
) -> None:
    links = _connect(settings, installation, stack)
    services = _put_together(settings, links, stack)
    _start(services, stack)
    app.state.services = services
    app.state.socketio = _socketio(services)


def _connect(settings: Settings, installation: Installation, stack: AsyncExitStack) -> _Links:
    engine = open_engine(settings.database_url, writes=False)
    stack.push_async_callback(engine.dispose)
    client = connect(settings.redis_url)
    stack.push_async_callback(client.aclose)
    pipe, reads = Pipe(settings.redis_url), Pipe(settings.redis_url)
    stack.callback(pipe.close)
    stack.callback(reads.close)
    keys = Keyspace(installation.namespace, installation.partitions)
    fence = Fence(installation.partitions)
    return _Links(client, pipe, reads, Reader(engine), installation, keys, fence)


def _put_together(settings: Settings, links: _Links, stack: AsyncExitStack) -> Services:
    client, pipe, reads, reader, installation, keys, fence = links
    publisher = Publisher(pipe, keys, fence, settings)
    stack.push_async_callback(publisher.close)
    limits = Limits(LimitBroker(pipe, keys), settings) if settings.limited else None
    if limits is not None:
        stack.callback(limits.close)
    passwords = Passwords()
    stack.callback(passwords.close)
    rooms = RoomBroker(client, reads, keys, fence, settings.backlog_of(len(keys)))
    logs = LogBroker(client, reads, keys, fence)
    cursors = CursorBroker(client, reads, keys, fence, settings)
    directory = Directory(rooms, reader, publisher)
    replay = Replay(logs, reader)
    flusher = Flusher()
    hub = Hub(keys, replay, flusher)
    fan_out = hub.fan_out
    pulse = Pulse(publisher, settings.gateway_name, lambda: len(fan_out.connections))
    chat_reader = ChatReader(reader)
    check = EpochCheck(reader, fence)
    chat_list = ChatList(rooms, logs, chat_reader, check, fence)
    presence = Presence(fan_out, pulse, publisher, chat_list.partners, settings.broadcast_limit)
    probe = PartitionProbe(reads, keys, fence)
    membership = Membership(
        *(reads, keys, pulse.incarnation, "gateway"),
        schema=SCHEMA,
        database=installation.stored_in,
    )
    watch = PartitionWatch(
        *(probe, membership, check, keys, settings, hub.opened),
        left_behind=lambda: _renew(links, hub),
    )
    session_broker = SessionBroker(reads, keys, fence)
    return Services(
        settings=settings,
        keys=keys,
        flusher=flusher,
        hub=hub,
        fan_out=fan_out,
        directory=directory,
        history=History(logs, directory, reader, check, keys, fence),
        passwords=passwords,
        publisher=publisher,
        pulse=pulse,
        typing=TypingStatus(publisher, settings.wake_after, keys),
        follower=ChatFollower(
            hub, rooms, WakeLog(PartitionReader(reads, keys, fence)), keys, settings, presence.met
        ),
        chats=chat_list,
        cursors=Cursors(cursors, directory, chat_reader),
        presence=presence,
        grants=Grants(settings),
        authorization=Authorization(settings.auth_mode),
        replay=replay,
        rooms=rooms,
        logs=logs,
        cursor_broker=cursors,
        reader=reader,
        chat_reader=chat_reader,
        watch=watch,
        durability=Durability(probe, reader),
        readiness=Readiness(pulse, watch),
        sessions=Sessions(session_broker, hub, publisher, settings.recovery_seconds),
        limits=limits,
        identity=Identity(settings, TicketBroker(client, keys)),
        deadlines=Deadlines(),
    )


async def _renew(links: _Links, hub: Hub) -> None:
    """Leave the broker's server: the next connections find the one that leads now."""
    links.pipe.renew()
    links.reads.renew()
    hub.renew()
    await links.client.connection_pool.disconnect()


def _start(services: Services, stack: AsyncExitStack) -> None:
    """Let what comes from the broker in, and all that looks after something by itself begin."""
    hub, pulse, follower = services.hub, services.pulse, services.follower
    presence, durability, sessions = services.presence, services.durability, services.sessions
    keys = services.keys
    incoming = Incoming(hub, pulse, presence, follower, durability, sessions, keys)
    subscriber = Subscriber(services.settings.redis_url, incoming.receive, incoming.subscribed)
    hub.attach(subscriber)
    for channel in (*(part.everyone for part in keys.partitions), *follower.channels):
        subscriber.hold(channel)
    heads = HeadWatch(hub, services.logs, keys)
    running: tuple[Subscriber | PeriodicTask, ...] = (
        *(subscriber, pulse.task, follower.task, presence.task, services.watch.task),
        *(durability.task, heads.task, sessions.task, services.deadlines.task),
    )
    for part in running:
        part.start()
        stack.push_async_callback(part.close)


async def _open_admin(services: Services, listener: socket.socket, stack: AsyncExitStack) -> None:
    show_gauges(services)
    stack.callback(LoopLag().close)
    client = connect(services.settings.redis_url)
    stack.push_async_callback(client.aclose)
    app = make_admin(services, Watchtower(client, services.keys))
    await stack.enter_async_context(serving_admin(SecurityHeaders(app), listener))


def _socketio(services: Services) -> EngineServer:
    settings = services.settings
    engine = EngineSettings(max_payload=MOST_FRAME, max_unsent=2 * settings.outbox_limit)
    within = IDENTIFY_WITHIN if services.identity.wanted else CONNECT_WITHIN
    application = SocketIOApplication(SocketIOChat(services), within)
    return EngineServer(engine, application, settings.gateway_name)
