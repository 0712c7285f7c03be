"""`/socket.io/`: Socket.IO 5 over an Engine.IO server. Its clients are clients like any other."""

import math
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.access.identity import bearer_token
from gateway.access.tokens import Bearer
from gateway.api import lifecycle, login
from gateway.api.gateway import Gateway
from gateway.api.recovery import NotRecovered, RecoveryPlan, RecoveryRequest, carry_out, prepare
from gateway.api.session import ClientSession
from gateway.connections.websocket import PendingWork
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.endpoints.socketio.server import EngineServer
from gateway.protocols.engineio.packets import Binary, PacketError
from gateway.protocols.engineio.settings import EngineSettings
from gateway.protocols.socketio.decoder import Decoder, SocketPacket
from gateway.protocols.socketio.frames import SOCKETIO, SOCKETIO_BARE
from gateway.protocols.socketio.packets import (
    MAIN,
    Kind,
    encode_connect,
    encode_connect_error,
)
from shared.errors import ChatError
from shared.protocol.closes import CloseCode
from shared.protocol.limits import IDENTIFY_SECONDS, MAX_FRAME_BYTES

FLAGS: Final = (True, 1, "1")
"""How a client says yes, in `auth` or in a query."""

CONNECT_TIMEOUT_SECONDS: Final = 45.0
"""Seconds within which a session has to be connected to its namespace; the reference's default."""


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


class SocketIOClient:
    """A session that speaks Socket.IO: connected to the main namespace, or about to be.

    There is no other namespace. A client may leave it and connect again.
    """

    __slots__ = ("_connect_within", "_decoder", "_engine", "_gateway", "_session")

    def __init__(self, gateway: Gateway, engine: EngineSession, connect_within: float) -> None:
        self._gateway = gateway
        self._engine = engine
        self._connect_within = connect_within
        self._decoder = Decoder()
        # From its CONNECT on, until the client leaves or is refused.
        self._session: ClientSession | None = None
        self._expect_to_connect()

    def take(self, message: str | Binary) -> PendingWork | None:
        """Take a message of the client.

        Returns:
            None once it is handled, or what is to be awaited before the next one.

        Raises:
            PacketError: it is malformed or out of place; the connection is to be closed.
        """
        packet = self._decoder.feed(message)
        if packet is None:
            return None
        if packet.kind is Kind.CONNECT:
            return self._asked_to_connect(packet)
        session = self._session
        if packet.namespace != MAIN or session is None or not session.accepted:
            raise PacketError("not connected to this namespace")
        if packet.kind is Kind.EVENT:
            return session.take(packet)
        if packet.kind is Kind.DISCONNECT:
            # Who says goodbye does not come back to where it was.
            self._session = None
            session.lost(goodbye=True)
            self._expect_to_connect()
        return None  # an acknowledgement: nobody awaits one

    def closed(self) -> None:
        """The session has ended."""
        if self._session is not None and self._session.accepted:
            self._session.lost()

    def _expect_to_connect(self) -> None:
        if self._engine.engine.expires == math.inf:
            self._engine.expire_in(self._connect_within)

    def _asked_to_connect(self, packet: SocketPacket) -> PendingWork | None:
        if packet.namespace != MAIN:
            self._engine.send(encode_connect_error(packet.namespace, "Invalid namespace", None))
            return None
        if self._session is not None:
            raise PacketError("connected to this namespace already")
        if self._gateway.cluster.readiness.draining:
            # Not refused: a client that is refused does not try elsewhere.
            self._engine.close()
            return None
        engine = self._engine
        wire = SOCKETIO_BARE if engine.query.get("recovery") == "0" else SOCKETIO
        self._session = ClientSession(self._gateway, wire, engine, engine.address)
        return self._connect(self._session, packet.auth)

    async def _connect(self, session: ClientSession, given: dict[str, Any]) -> None:
        client = session.client
        try:
            auth = _auth({**self._engine.query, **given})
        except ChatError as error:
            if self._gateway.access.identity.required:
                self._refuse(error)
                return
            client.connection.refuse(None, error)
            auth = Auth()
        client.durable = auth.durable in FLAGS
        await session.do(self._let_in(session, auth))
        if not session.accepted:
            self._session = None

    async def _let_in(self, session: ClientSession, auth: Auth) -> None:
        """Accept the client, and bring it back to where it was if it can be."""
        gateway, client, sessions = self._gateway, session.client, self._gateway.clients.sessions
        try:
            bearer = await self._identify(session, auth)
            await login.count_connection(gateway, client)
        except ChatError as error:
            self._refuse(error)
            return
        plan = await self._plan(session, auth)
        if plan is not None:
            payload = {"pid": auth.pid}
        elif client.connection.wire is SOCKETIO_BARE:
            payload = {}
        else:
            payload = {"pid": await sessions.open(client, self._ping_counts)}
        if self._engine.engine.closed:
            sessions.drop(client, forget=False, left=False)
            return
        self._accept(session, payload)
        if bearer is not None:
            gateway.clients.deadlines.expire(client.connection, bearer.expires)
        if auth.welcome in FLAGS:
            lifecycle.welcome(gateway, client)
        if plan is None:
            lifecycle.connected(gateway, client)
            return
        try:
            await carry_out(gateway, client, plan)
        except (ChatError, NotRecovered):
            # It tries again, and what it finds then is sure.
            client.connection.end(CloseCode.TRY_AGAIN_LATER)

    async def _identify(self, session: ClientSession, auth: Auth) -> Bearer | None:
        """Find out who the client is; None where it need not prove that.

        Raises:
            ChatError: it cannot be let in.
        """
        gateway, engine = self._gateway, self._engine
        identity = gateway.access.identity
        # A header is what the request that opened the session came with.
        token = auth.token or bearer_token(engine.authorization)
        bearer = await identity.identify(engine.query, token=token, ticket=auth.ticket)
        if not identity.required:
            login.claim(gateway, session.client, auth.username)
            return None
        if bearer is None and not identity.guests_allowed:
            raise ChatError("unauthorized", "say who you are: with a token in `auth`, or a ticket")
        bearer = bearer or identity.guest()
        login.prove(gateway, session.client, bearer, auth.username)
        return bearer

    def _refuse(self, error: ChatError) -> None:
        self._session = None
        self._engine.send(encode_connect_error(MAIN, error.message, error.payload()))

    def _accept(self, session: ClientSession, payload: dict[str, str | None]) -> None:
        connection = session.client.connection
        self._engine.send(encode_connect(MAIN, {"sid": connection.sid, **payload}))
        self._engine.authorization = None  # it was looked at
        session.accept()
        self._engine.on_writable = connection.flush
        self._engine.expire_in(None)

    async def _plan(self, session: ClientSession, auth: Auth) -> RecoveryPlan | None:
        client = session.client
        if auth.pid is None or client.connection.wire is SOCKETIO_BARE:
            return None
        shown = RecoveryRequest(auth.pid, auth.offset, client.username)
        try:
            return await prepare(self._gateway, client, shown, self._ping_counts)
        except NotRecovered:
            return None

    def _ping_counts(self) -> tuple[int, int]:
        return self._engine.engine.pings, self._engine.engine.pongs


class SocketIOChat:
    """The chat as an application of an Engine.IO server."""

    def __init__(self, gateway: Gateway, connect_within: float = CONNECT_TIMEOUT_SECONDS) -> None:
        """Compose.

        Args:
            gateway: serves the clients.
            connect_within: seconds that a session may be without its namespace.
        """
        self._gateway = gateway
        self._connect_within = connect_within

    def on_open(self, session: EngineSession, scope: Scope) -> None:
        """Begin; the client is to connect to the main namespace soon."""
        session.authorization = Headers(scope=scope).get("authorization")
        session.state = SocketIOClient(self._gateway, session, self._connect_within)

    def on_packet(self, session: EngineSession, message: str | Binary) -> PendingWork | None:
        """Take a message."""
        client: SocketIOClient = session.state
        return client.take(message)

    def on_close(self, session: EngineSession, reason: str) -> None:  # noqa: ARG002 - whatever it is
        """Let the client go."""
        client: SocketIOClient = session.state
        client.closed()


def _auth(given: dict[str, Any]) -> Auth:
    """Read what a client says of itself.

    Raises:
        ChatError: `bad_request`.
    """
    try:
        return msgspec.convert(given, Auth)
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", f"auth: {error}") from None


def socketio_server(gateway: Gateway) -> EngineServer:
    """What serves `/socket.io/`."""
    settings = gateway.settings
    engine = EngineSettings(max_payload=MAX_FRAME_BYTES, max_unsent=2 * settings.outbox_limit)
    within = IDENTIFY_SECONDS if gateway.access.identity.required else CONNECT_TIMEOUT_SECONDS
    return EngineServer(engine, SocketIOChat(gateway, within), settings.gateway_name)
