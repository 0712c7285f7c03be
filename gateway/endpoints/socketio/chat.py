"""`/socket.io/`: the chat for Socket.IO clients. Each is a connection in the hub like any other."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.access.identity import bearer_token
from gateway.access.tokens import Bearer
from gateway.api.conversation import MOST_UNDER_WAY
from gateway.api.dispatcher import Dispatcher
from gateway.api.handlers import people
from gateway.api.handlers.recovery import NotRecovered, Plan, Shown, carry_out, prepare
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.connections.visitor import Visitor
from gateway.endpoints.socketio.application import Later
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.close_codes import CloseCode
from gateway.protocols.socketio.decoder import SocketPacket
from gateway.protocols.socketio.frames import SOCKETIO, SOCKETIO_BARE
from gateway.protocols.socketio.packets import MAIN
from gateway.protocols.socketio.session import Socket
from shared.errors import ChatError
from shared.model.commands import SetUsername

FLAGS: Final = (True, 1, "1")
"""How a client says yes, in `auth` or in a query."""

GOODBYE: Final = frozenset({"client namespace disconnect"})
"""Why a client's socket ends that does not come back to where it was."""


class Auth(msgspec.Struct, frozen=True):
    """What of a CONNECT's payload, or of the query, is understood; the rest is passed over.

    Attributes:
        username: the name to bind.
        token: says who it is; never from a query.
        ticket: says so, once.
        welcome: whether to say where the client is; "1" from a query.
        durable: whether to say when SQL has a message; "1" from a query.
        pid: of the session to go on with.
        offset: of the last event that the client got in it.
    """

    username: Any = None
    token: Any = None
    ticket: Any = None
    welcome: Any = None
    durable: Any = None
    pid: Annotated[str, Meta(max_length=64)] | None = None
    offset: Any = None


class _ChatLink:
    """What carries a connection's frames: its session, once the client is accepted."""

    def __init__(self, session: EngineSession) -> None:
        self._session = session
        self.open = False

    @property
    def writable(self) -> bool:
        """Whether the client took what it was sent."""
        return self.open and self._session.writable

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one go."""
        self._session.write(frames)

    def close(self, code: int, reason: str = "") -> None:  # noqa: ARG002 - the protocol has none
        """End the session, behind what was written."""
        self._session.close()

    def abort(self) -> None:
        """End the session at once."""
        self._session.abort()


class ChatClient:
    """A client that is connected to the main namespace, or about to be."""

    def __init__(self, services: Services, session: EngineSession, socket: Socket) -> None:
        settings = services.settings
        wire = SOCKETIO_BARE if session.query.get("recovery") == "0" else SOCKETIO
        self._services = services
        self._session = session
        self._socket = socket
        self._link = _ChatLink(session)
        self.connection = Connection(
            wire, self._link, services.flusher, settings.gateway_name, settings.outbox_limit
        )
        if services.limits is not None:
            self.connection.visitor = Visitor(services.limits, session.address)
        self._dispatcher = Dispatcher(services, self.connection)
        # What the client asked for last; it is not read further until that is done.
        self._under_way: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def connect(self, auth: Auth) -> None:
        """Accept the client, and bring it back to where it was if it can be."""
        await self._do(self._connect(auth))

    def take(self, packet: SocketPacket) -> Later | None:
        """Handle an event."""
        later = self._dispatcher.dispatch(packet)
        if later is None and self._dispatcher.under_way < MOST_UNDER_WAY:
            return None
        return self._do(self._finish(later))

    def left(self, reason: str) -> None:
        """The client has gone. A join that was under way must not enter a room after this."""
        self.connection.gone()
        if self._closing is not None:
            self._closing.cancel()
        if self._under_way is None:
            self._went(reason)
        else:
            self._under_way.cancel()
            self._under_way.add_done_callback(lambda _: self._went(reason))

    def _went(self, reason: str) -> None:
        people.went(self._services, self.connection, goodbye=reason in GOODBYE)

    async def _do(self, work: Later) -> None:
        task = self._under_way = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._under_way = None
        if not task.cancelled() and (error := task.exception()):
            raise error

    async def _finish(self, later: Later | None) -> None:
        if later is not None:
            await later
        await self._dispatcher.fewer_than(MOST_UNDER_WAY)

    async def _connect(self, auth: Auth) -> None:
        connection, services = self.connection, self._services
        try:
            bearer = await self._identify(auth)
            if connection.visitor is not None:
                await connection.visitor.admitted()
        except ChatError as error:
            self._socket.refuse(error.message, error.payload())
            return
        plan = await self._plan(auth)
        if plan is not None:
            payload = {"pid": auth.pid}
        elif connection.wire is SOCKETIO_BARE:
            payload = {}
        else:
            payload = {"pid": await services.sessions.open(connection, self._heart)}
        if self._session.engine.closed:
            services.sessions.drop(connection, forget=False, left=False)
            return
        self._accept(payload)
        if bearer is not None:
            services.deadlines.expire(connection, bearer.expires)
        if auth.welcome in FLAGS:
            people.welcome(services, connection)
        if plan is None:
            people.came(services, connection)
            return
        try:
            await carry_out(services, connection, plan)
        except (ChatError, NotRecovered):
            # It tries again, and what it finds then is sure.
            connection.end(CloseCode.TRY_LATER)

    async def _identify(self, auth: Auth) -> Bearer | None:
        """Find out who the client is; None where it need not show that.

        Raises:
            ChatError: it cannot be let in.
        """
        identity, connection, session = self._services.identity, self.connection, self._session
        # A header is what the request that opened the session came with.
        token = auth.token or bearer_token(session.authorization)
        bearer = await identity.recognise(session.query, token=token, ticket=auth.ticket)
        if not identity.wanted:
            _bind(connection, auth.username)
            return None
        if bearer is None and not identity.guests:
            raise ChatError("unauthorized", "say who you are: with a token in `auth`, or a ticket")
        bearer = bearer or identity.guest()
        if auth.username and str(auth.username) != bearer.user:
            raise ChatError("forbidden", "that is not the name of whoever connects")
        connection.become(bearer.user)
        return bearer

    def _accept(self, payload: dict[str, str | None]) -> None:
        self._socket.accept(self.connection.sid, **payload)
        self._session.authorization = None  # it was looked at
        self.connection.on_end = self._end
        self._link.open = True
        self._session.on_writable = self.connection.flush

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

    def _end(self, code: CloseCode) -> None:
        self._closing = asyncio.create_task(self._close(code))

    async def _close(self, code: CloseCode) -> None:
        await self._dispatcher.fewer_than(1)
        await self.connection.emptied()
        self._link.close(code)


class SocketIOChat:
    """The chat as the handler of Socket.IO's main namespace; there is no other."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_connect(
        self, session: EngineSession, socket: Socket, auth: dict[str, Any]
    ) -> Later | None:
        """Take a client in."""
        if socket.namespace != MAIN:
            socket.refuse("Invalid namespace")
            return None
        if self._services.readiness.draining:
            # Not refused: a client that is refused does not try elsewhere.
            session.close()
            return None
        client = socket.state = ChatClient(self._services, session, socket)
        try:
            shown = _auth({**session.query, **auth})
        except ChatError as error:
            if self._services.identity.wanted:
                socket.refuse(error.message, error.payload())
                return None
            client.connection.refuse(None, error)
            shown = Auth()
        client.connection.durable = shown.durable in FLAGS
        return client.connect(shown)

    def on_event(
        self,
        session: EngineSession,  # noqa: ARG002 - the protocol's
        socket: Socket,
        packet: SocketPacket,
    ) -> Later | None:
        """Handle an event."""
        client: ChatClient = socket.state
        return client.take(packet)

    def on_disconnect(self, session: EngineSession, socket: Socket, reason: str) -> None:  # noqa: ARG002
        """Let a client go."""
        if socket.state is not None:
            socket.state.left(reason)


def _auth(given: dict[str, Any]) -> Auth:
    """Read what a client says of itself.

    Raises:
        ChatError: `bad_request`.
    """
    try:
        return msgspec.convert(given, Auth)
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", f"auth: {error}") from None


def _bind(connection: Connection, username: object) -> None:
    """Take a name; one that is none is answered and not taken."""
    if not username:
        return
    try:
        connection.bind(msgspec.convert({"username": username}, SetUsername).username)
    except msgspec.ValidationError as error:
        connection.refuse(None, ChatError("bad_request", f"username: {error}"))
