"""`/socket.io/`: the chat for Socket.IO clients. Each is a connection in the hub like any other."""

import asyncio
import contextlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.close_codes import CloseCode
from gateway.connection import Connection
from gateway.dispatcher import Dispatcher
from gateway.endpoints.engineio_session import EngineSession
from gateway.handlers import people
from gateway.handlers.recovery import NotRecovered, Plan, Shown, carry_out, prepare
from gateway.protocols.frames import Outgoing
from gateway.protocols.payloads import LaggedPayload
from gateway.protocols.socketio_decoder import SocketPacket
from gateway.protocols.socketio_frames import SOCKETIO, SOCKETIO_BARE
from gateway.protocols.socketio_packets import MAIN
from gateway.protocols.socketio_session import Socket
from gateway.services import Services
from shared.errors import ChatError
from shared.model.commands import SetUsername
from shared.telemetry import logger

LAST_CHANCE: Final = 2.0
"""Seconds a client that fell behind has to take what waits for it."""

GOODBYE: Final = frozenset({"client namespace disconnect"})
"""Why a client's socket ends that does not come back to where it was."""

log = logger(__name__)


class Auth(msgspec.Struct, frozen=True):
    """What of a CONNECT's payload, or of the query, is understood; the rest is passed over.

    Attributes:
        username: the name to bind.
        durable: whether to say when SQL has a message; "1" from a query.
        pid: of the session to go on with.
        offset: of the last event that the client got in it.
    """

    username: Any = None
    durable: Any = None
    pid: Annotated[str, Meta(max_length=64)] | None = None
    offset: Any = None


class ChatClient:
    """A client that is connected to the main namespace, or about to be."""

    def __init__(
        self, services: Services, session: EngineSession, socket: Socket, connection: Connection
    ) -> None:
        self.connection = connection
        self._services = services
        self._session = session
        self._socket = socket
        self._dispatcher = Dispatcher(services, connection)
        # What the client asked for last; it is not read further until that is done.
        self._under_way: asyncio.Task[None] | None = None
        self._writing: list[asyncio.Task[None]] = []
        self._came = False

    async def connect(self, auth: Auth) -> None:
        """Accept the client, and bring it back to where it was if it can be."""
        await self._do(self._connect(auth))

    async def take(self, packet: SocketPacket) -> None:
        """Handle an event."""
        await self._do(self._dispatcher.dispatch(packet))

    def left(self, reason: str) -> None:
        """The client has gone. A join that was under way must not enter a room after this."""
        for task in self._writing:
            task.cancel()
        if self._under_way is None:
            self._went(reason)
        else:
            self._under_way.cancel()
            self._under_way.add_done_callback(lambda _: self._went(reason))

    async def _do(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = self._under_way = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._under_way = None
        if not task.cancelled() and (error := task.exception()):
            raise error

    async def _connect(self, auth: Auth) -> None:
        connection, services = self.connection, self._services
        plan = await self._plan(auth)
        if plan is not None:
            payload = {"pid": auth.pid}
        elif connection.wire is SOCKETIO_BARE:
            payload = {}
        else:
            payload = {"pid": await services.sessions.open(connection, self._heart)}
        self._socket.accept(connection.sid, **payload)
        self._writing = [
            asyncio.create_task(self._guard(work)) for work in (self._write(), self._fall_behind())
        ]
        self._came = True
        if plan is None:
            people.came(services, connection)
            return
        try:
            await carry_out(services, connection, plan)
        except (ChatError, NotRecovered):
            # It tries again, and what it finds then is sure.
            connection.end(CloseCode.TRY_LATER)

    async def _plan(self, auth: Auth) -> Plan | None:
        if auth.pid is None or self.connection.wire is SOCKETIO_BARE:
            return None
        shown = Shown(auth.pid, auth.offset, self.connection.username)
        try:
            return await prepare(self._services, self.connection, shown, self._heart)
        except NotRecovered:
            return None

    def _heart(self) -> tuple[int, int]:
        return self._session.engine.pings, self._session.engine.pongs

    def _went(self, reason: str) -> None:
        if self._came:
            people.went(self._services, self.connection, goodbye=reason in GOODBYE)
        else:
            self._services.sessions.drop(self.connection, forget=False, left=False)

    async def _guard(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        try:
            await work
        except Exception:
            log.exception("connection failed", sid=self.connection.sid)
            self._session.fail("server error")

    async def _write(self) -> None:
        connection, session, answered = self.connection, self._session, False
        while True:
            frames = await connection.unsent()
            for frame in frames:
                self._socket.send(frame)
            await session.emptied()
            for frame in frames:
                connection.sent(frame)
            if connection.ending is None:
                continue
            if answered and not frames:
                session.close()
                return
            await self._dispatcher.finish()
            answered = True
            connection.look_again()

    async def _fall_behind(self) -> None:
        """End a client that does not read: it is told what it lacks, if it ever reads again."""
        connection = self.connection
        await connection.fell_behind.wait()
        connection.last_words(
            [
                Outgoing("lagged", room=name, data=LaggedPayload(name, head))
                for name, head in connection.lagged_at.items()
            ]
        )
        connection.end(CloseCode.TRY_LATER)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_CHANCE):
                await connection.ended.wait()
        self._session.fail("transport error")


class SocketIOChat:
    """The chat as the handler of Socket.IO's main namespace; there is no other."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def on_connect(
        self, session: EngineSession, socket: Socket, auth: dict[str, Any]
    ) -> None:
        """Take a client in."""
        if socket.namespace != MAIN:
            socket.refuse("Invalid namespace")
            return
        if self._services.readiness.draining:
            # Not refused: a client that is refused does not try elsewhere.
            session.close()
            return
        client = self._client(session, socket)
        shown = _auth(client.connection, {**session.query, **auth})
        client.connection.durable = shown.durable in {True, "1"}
        socket.state = client
        await client.connect(shown)

    async def on_event(
        self,
        session: EngineSession,  # noqa: ARG002 - the protocol's
        socket: Socket,
        packet: SocketPacket,
    ) -> None:
        """Handle an event."""
        await socket.state.take(packet)

    def on_disconnect(self, session: EngineSession, socket: Socket, reason: str) -> None:  # noqa: ARG002
        """Let a client go."""
        if socket.state is not None:
            socket.state.left(reason)

    def _client(self, session: EngineSession, socket: Socket) -> ChatClient:
        settings = self._services.settings
        wire = SOCKETIO_BARE if session.query.get("recovery") == "0" else SOCKETIO
        connection = Connection(wire, settings.gateway_name, settings.outbox_limit)
        return ChatClient(self._services, session, socket, connection)


def _auth(connection: Connection, given: dict[str, Any]) -> Auth:
    """Read what a client says of itself; a name that is none is answered and not taken."""
    try:
        auth = msgspec.convert(given, Auth)
    except msgspec.ValidationError as error:
        connection.refuse(None, ChatError("bad_request", f"auth: {error}"))
        return Auth()
    if auth.username:
        try:
            name = msgspec.convert({"username": auth.username}, SetUsername).username
            connection.bind(name)
        except msgspec.ValidationError as error:
            connection.refuse(None, ChatError("bad_request", f"username: {error}"))
    return auth
