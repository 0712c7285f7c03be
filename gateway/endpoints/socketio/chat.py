"""`/socket.io/`: the chat over Socket.IO 5, as an application of an Engine.IO server.

Each Socket.IO client has a `ClientSession`, as a client of `/ws` has; only the frames differ.
"""

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
from shared.protocol.limits import IDENTIFY_SECONDS

TRUE_VALUES: Final = (True, 1, "1")
"""The values that count as true, in `auth` or in a query."""

CONNECT_TIMEOUT_SECONDS: Final = 45.0
"""Seconds a session has to connect to the main namespace; the reference server's default."""


class Auth(msgspec.Struct, frozen=True):
    """The known fields of a CONNECT's payload or of the query. Others are ignored.

    Attributes:
        username: the user's name, where users are not authenticated.
        token: proves who the user is; refused in a query.
        ticket: proves who the user is, once.
        welcome: asks for the `welcome` event; "1" in a query.
        durable: asks for `durable` events; "1" in a query.
        pid: the id of the session to recover.
        offset: the offset of the last event that the client got in that session.
    """

    username: Any = None
    token: Any = None
    ticket: Any = None
    welcome: Any = None
    durable: Any = None
    pid: Annotated[str, Meta(max_length=64)] | None = None
    offset: Any = None


class SocketIOClient:
    """The Socket.IO client of an Engine.IO session.

    There is only the main namespace. A client may disconnect from it and connect again.
    """

    __slots__ = ("_connect_timeout", "_decoder", "_engine", "_gateway", "_session")

    def __init__(self, gateway: Gateway, engine: EngineSession, connect_timeout: float) -> None:
        self._gateway = gateway
        self._engine = engine
        self._connect_timeout = connect_timeout
        self._decoder = Decoder()
        # From the CONNECT packet until the client disconnects or is refused.
        self._session: ClientSession | None = None
        self._limit_time_to_connect()

    def take(self, message: str | Binary) -> PendingWork | None:
        """Handle a message of the client.

        Returns:
            None once the message is handled, or work to await before the next one.

        Raises:
            PacketError: the message is malformed or out of place. The connection is to be closed.
        """
        packet = self._decoder.feed(message)
        if packet is None:
            return None
        if packet.kind is Kind.CONNECT:
            return self._begin_connect(packet)
        session = self._session
        if packet.namespace != MAIN or session is None or not session.accepted:
            raise PacketError("not connected to this namespace")
        if packet.kind is Kind.EVENT:
            return session.take(packet)
        if packet.kind is Kind.DISCONNECT:
            # A client that disconnects on purpose cannot recover this session later.
            self._session = None
            session.lost(goodbye=True)
            self._limit_time_to_connect()
        return None  # an acknowledgement, which no event of a gateway asks for

    def closed(self) -> None:
        """Disconnect the client: its Engine.IO session has ended."""
        if self._session is not None and self._session.accepted:
            self._session.lost()

    def _limit_time_to_connect(self) -> None:
        if self._engine.engine.expires == math.inf:
            self._engine.expire_in(self._connect_timeout)

    def _begin_connect(self, packet: SocketPacket) -> PendingWork | None:
        if packet.namespace != MAIN:
            self._engine.send(encode_connect_error(packet.namespace, "Invalid namespace", None))
            return None
        if self._session is not None:
            raise PacketError("connected to this namespace already")
        if self._gateway.cluster.readiness.draining:
            # Closed, not refused: a Socket.IO client that is refused does not connect again.
            self._engine.close()
            return None
        engine = self._engine
        wire = SOCKETIO_BARE if engine.query.get("recovery") == "0" else SOCKETIO
        self._session = ClientSession(self._gateway, wire, engine, engine.address)
        return self._connect(self._session, packet.auth)

    async def _connect(self, session: ClientSession, payload: dict[str, Any]) -> None:
        client = session.client
        try:
            auth = _auth({**self._engine.query, **payload})
        except ChatError as error:
            if self._gateway.access.identity.required:
                self._refuse(error)
                return
            client.connection.refuse(None, error)
            auth = Auth()
        client.durable = auth.durable in TRUE_VALUES
        await session.do(self._admit(session, auth))
        if not session.accepted:
            self._session = None

    async def _admit(self, session: ClientSession, auth: Auth) -> None:
        """Accept the client, and recover its session if it asked for that and it is possible."""
        gateway, client, sessions = self._gateway, session.client, self._gateway.clients.sessions
        try:
            bearer = await self._identify(session, auth)
            await login.count_connection(gateway, client)
        except ChatError as error:
            self._refuse(error)
            return
        plan = await self._prepare_recovery(session, auth)
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
        if auth.welcome in TRUE_VALUES:
            lifecycle.welcome(gateway, client)
        if plan is None:
            lifecycle.connected(gateway, client)
            return
        try:
            await carry_out(gateway, client, plan)
        except (ChatError, NotRecovered):
            # The client was told that it is recovered, so it must not go on without what it missed.
            # It connects again and is then recovered, or told that it is not.
            client.connection.end(CloseCode.TRY_AGAIN_LATER)

    async def _identify(self, session: ClientSession, auth: Auth) -> Bearer | None:
        """Log the client in; return None where users are not authenticated.

        Raises:
            ChatError: the client is refused.
        """
        gateway, engine = self._gateway, self._engine
        identity = gateway.access.identity
        # The `Authorization` header of the request that opened the Engine.IO session.
        token = auth.token or bearer_token(engine.authorization)
        bearer = await identity.identify(engine.query, token=token, ticket=auth.ticket)
        if not identity.required:
            claims = await login.read_claim(gateway, auth.username)
            login.claim(gateway, session.client, claims)
            login.refuse_claim(session.client, claims)
            return None
        if bearer is None and not identity.guests_allowed:
            raise ChatError("unauthorized", "send a token or a ticket in `auth`")
        bearer = bearer or identity.guest()
        login.prove(gateway, session.client, bearer, auth.username)
        return bearer

    def _refuse(self, error: ChatError) -> None:
        self._session = None
        self._engine.send(encode_connect_error(MAIN, error.message, error.payload()))

    def _accept(self, session: ClientSession, payload: dict[str, str | None]) -> None:
        connection = session.client.connection
        self._engine.send(encode_connect(MAIN, {"sid": connection.sid, **payload}))
        self._engine.authorization = None  # a secret, not needed any more
        session.accept()
        self._engine.on_writable = connection.flush
        self._engine.expire_in(None)

    async def _prepare_recovery(self, session: ClientSession, auth: Auth) -> RecoveryPlan | None:
        client = session.client
        if auth.pid is None or client.connection.wire is SOCKETIO_BARE:
            return None
        request = RecoveryRequest(auth.pid, auth.offset, client.username)
        try:
            return await prepare(self._gateway, client, request, self._ping_counts)
        except NotRecovered:
            return None

    def _ping_counts(self) -> tuple[int, int]:
        return self._engine.engine.pings, self._engine.engine.pongs


class SocketIOChat:
    """The chat, as an application of an Engine.IO server."""

    def __init__(self, gateway: Gateway, connect_timeout: float = CONNECT_TIMEOUT_SECONDS) -> None:
        """Create the application.

        Args:
            gateway: serves the clients.
            connect_timeout: seconds that a session has to connect to the main namespace.
        """
        self._gateway = gateway
        self._connect_timeout = connect_timeout

    def on_open(self, session: EngineSession, scope: Scope) -> None:
        """Begin a session, and the time that its client has to connect to the main namespace."""
        session.authorization = Headers(scope=scope).get("authorization")
        session.state = SocketIOClient(self._gateway, session, self._connect_timeout)

    def on_packet(self, session: EngineSession, message: str | Binary) -> PendingWork | None:
        """Handle a message of the client."""
        client: SocketIOClient = session.state
        return client.take(message)

    def on_close(self, session: EngineSession, reason: str) -> None:  # noqa: ARG002 - whatever it is
        """Disconnect the client."""
        client: SocketIOClient = session.state
        client.closed()


def _auth(payload: dict[str, Any]) -> Auth:
    """Read the fields of a CONNECT's payload and of the query.

    Raises:
        ChatError: `bad_request`.
    """
    try:
        return msgspec.convert(payload, Auth)
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", f"auth: {error}") from None


def socketio_server(gateway: Gateway) -> EngineServer:
    """Make the server of `/socket.io/` for a gateway."""
    settings = gateway.settings
    engine = EngineSettings(max_payload=settings.max_frame, max_unsent=2 * settings.outbox_limit)
    timeout = IDENTIFY_SECONDS if gateway.access.identity.required else CONNECT_TIMEOUT_SECONDS
    return EngineServer(engine, SocketIOChat(gateway, timeout), settings.gateway_name)
