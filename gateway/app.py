"""The composition root: opens a gateway's parts in order, closes them in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from gateway.directory import Directory
from gateway.endpoints import health, websocket
from gateway.history import History
from gateway.hub import Hub
from gateway.passwords import Passwords
from gateway.pulse import Pulse
from gateway.readiness import Readiness
from gateway.services import Services
from gateway.typing_status import TypingStatus
from shared import codec
from shared.broker.client import connect
from shared.broker.keys import EVERYONE
from shared.broker.partitions import PartitionProbe
from shared.broker.publisher import Publisher
from shared.broker.rooms import RoomBroker
from shared.broker.subscriber import OnMessage, Subscriber
from shared.config import Settings
from shared.model.events import Beat
from shared.storage.engine import open_engine
from shared.storage.reader import Reader
from shared.telemetry import logger

log = logger(__name__)


def make_app(settings: Settings) -> Starlette:
    """The ASGI application of one gateway."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _open(app, settings, stack)
            log.info("gateway starts", host=settings.host, port=settings.port)
            yield
        log.info("gateway ended")

    routes = [
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        WebSocketRoute("/ws", websocket.chat),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _open(app: Starlette, settings: Settings, stack: AsyncExitStack) -> None:
    engine = open_engine(settings.database_url, writes=False)
    stack.push_async_callback(engine.dispose)
    client = connect(settings.redis_url)
    stack.push_async_callback(client.aclose)
    publisher = Publisher(
        client, settings.partitions, settings.max_backlog, settings.dedupe_minutes
    )
    stack.push_async_callback(publisher.close)
    passwords = Passwords()
    stack.callback(passwords.close)
    rooms = RoomBroker(client, settings.partitions, settings.max_backlog)
    reader = Reader(engine)
    directory = Directory(rooms, reader, publisher)
    hub = Hub(rooms)
    pulse = Pulse(publisher, settings.gateway_name, lambda: len(hub.connections))

    subscriber = Subscriber(settings.redis_url, _receiver(hub, pulse), hub.subscribed)
    hub.attach(subscriber)
    subscriber.hold(EVERYONE)
    subscriber.start()
    stack.push_async_callback(subscriber.close)
    pulse.start()
    stack.push_async_callback(pulse.close)
    readiness = Readiness(pulse, PartitionProbe(client, settings.partitions))
    readiness.start()
    stack.push_async_callback(readiness.close)

    app.state.readiness = readiness
    app.state.services = Services(
        settings=settings,
        hub=hub,
        directory=directory,
        history=History(rooms, directory, reader),
        passwords=passwords,
        publisher=publisher,
        pulse=pulse,
        typing=TypingStatus(publisher),
    )


def _receiver(hub: Hub, pulse: Pulse) -> OnMessage:
    """What is done with a message of the broker: it goes to the pulse, to all, or to a room."""

    def receive(channel: str, data: bytes) -> None:
        try:
            event = codec.decode(data)
        except codec.CodecError as error:
            # A newer gateway may say what this one does not know; the room's log keeps it.
            log.warning("event not understood", channel=channel, reason=str(error))
            return
        if isinstance(event.body, Beat):
            pulse.hear(event.body)
        elif channel == EVERYONE:
            hub.announce(event)
        else:
            hub.receive(channel, event)

    return receive
