"""`/socket.io/`: the chat over Socket.IO 5, as an application of an Engine.IO server.

Each Socket.IO client has a `ClientSession`, as a client of `/ws` has; only the frames differ.
"""

import asyncio
import math
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.access.identity import bearer_token
from gateway.access.tokens import Bearer
from gateway.api import lifecycle, login
from gateway.api.gateway import Gateway
from gateway.api.recovery import NotRecovered, RecoveryPlan, RecoveryRequest, carry_out, prepare
from gateway.api.session import ClientSession
from gateway.connections.connection import CLOSE_TIMEOUT_SECONDS
from gateway.connections.link import PendingWork
from gateway.endpoints.socketio.auth import TRUE_VALUES, Auth, read_auth
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
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.protocol.closes import CloseCode
from shared.protocol.limits import IDENTIFY_SECONDS
from shared.trail import LoginError
from shared.trail.events import How

CONNECT_TIMEOUT_SECONDS: Final = 45.0
"""Seconds a session has to connect to the main namespace; the reference server's default."""


class SocketIOClient:
    """The Socket.IO client of an Engine.IO session.

    There is only the main namespace. A client may disconnect from it and connect again, which costs
    its address what a new connection costs.
    """

    __slots__ = (
        "_connect_timeout",
        "_connects_again",
        "_decoder",
        "_engine",
        "_gateway",
        "_session",
    )

    def __init__(self, gateway: Gateway, engine: EngineSession, connect_timeout: float) -> None:
        self._gateway = gateway
        self._engine = engine
        self._connect_timeout = connect_timeout
        self._decoder = Decoder()
        # False until the first CONNECT, which the connection itself has paid for.
        self._connects_again = False
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
        else:
            self._count_refusal()  # an acknowledgement, which no event of a gateway asks for
        return None

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
            self._count_refusal()
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
            auth = read_auth({**self._engine.query, **payload})
        except ChatError as error:
            if self._gateway.access.identity.required:
                self._refuse(error)
                return
            client.connection.refuse(None, error)
            auth = Auth()
        client.durable = auth.durable in TRUE_VALUES
        try:
            await session.do(self._admit(session, auth))
        finally:
            if not session.accepted:
                self._session = None
                self._gateway.cluster.guests.leave(client)

    async def _admit(self, session: ClientSession, auth: Auth) -> None:
        """Accept the client, and recover its session if it asked for that and it is possible."""
        gateway, client, sessions = self._gateway, session.client, self._gateway.clients.sessions
        try:
            await self._count_connection()
            bearer = await self._identify(session, auth)
            await login.count_connection(gateway, client)
            plan = await self._prepare_recovery(session, auth)
            if client.is_guest:  # under the name that it has recovered, if it has
                await gateway.cluster.guests.take(client, client.display_name)
        except ChatError as error:
            sessions.drop(client, forget=False, left=False)
            login.note_refusal(gateway, client, error)
            self._refuse(error)
            return
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
        login.note_login(gateway, client, _how(client, auth, recovers=plan is not None))
        if bearer is not None:
            login.hold(gateway, client, bearer)
        if auth.welcome in TRUE_VALUES:
            lifecycle.welcome(gateway, client)
        if plan is None:
            lifecycle.connected(gateway, client)
            return
        try:
            async with gateway.access.reads.slot(client):
                await carry_out(gateway, client, plan)
        except (ChatError, NotRecovered):
            # The client was told that it is recovered, so it must not go on without what it missed.
            # It connects again and is then recovered, or told that it is not.
            client.connection.end(CloseCode.TRY_AGAIN_LATER)

    async def _count_connection(self) -> None:
        """Count a CONNECT that is not the first as a connection of the client's address.

        Raises:
            ChatError: `rate_limited`.
        """
        again, self._connects_again = self._connects_again, True
        limits = self._gateway.access.limits
        if again and limits is not None:
            await limits.connect(self._engine.address)

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
            raise LoginError("token_missing", "send a token or a ticket in `auth`")
        bearer = bearer or identity.guest()
        login.prove(gateway, session.client, bearer, _how(session.client, auth), auth.username)
        return bearer

    def _refuse(self, error: ChatError) -> None:
        self._session = None
        self._engine.send(encode_connect_error(MAIN, error.message, error.payload()))
        self._count_refusal()

    def _count_refusal(self) -> None:
        """Count a refusal; if there are too many, end the session."""
        engine = self._engine
        if engine.intake is not None and engine.intake.refuse():
            if (limits := self._gateway.access.limits) is not None:
                limits.note_refusal("refusals", engine.address)
            engine.close(CloseCode.TOO_MANY_REQUESTS)
            # A client that floods may not read, so the end of the session would not end it.
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_SECONDS, engine.abort)

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
            async with self._gateway.access.reads.slot(client):
                return await prepare(self._gateway, client, request, self._ping_counts)
        except NotRecovered:
            return None

    def _ping_counts(self) -> tuple[int, int]:
        return self._engine.engine.pings, self._engine.engine.pongs


def _how(client: Client, auth: Auth, *, recovers: bool = False) -> How:
    """Return how a client that is let in was identified."""
    if not client.proven or client.is_guest:
        kind: How = "guest" if client.proven else "name"
        return "session" if recovers else kind
    return "ticket" if auth.ticket else "token"


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


def socketio_server(gateway: Gateway) -> EngineServer:
    """Make the server of `/socket.io/` for a gateway."""
    settings = gateway.settings
    engine = EngineSettings(max_payload=settings.max_frame, max_unsent=2 * settings.outbox_limit)
    timeout = IDENTIFY_SECONDS if gateway.access.identity.required else CONNECT_TIMEOUT_SECONDS
    chat = SocketIOChat(gateway, timeout)
    return EngineServer(engine, chat, settings.gateway_name, gateway.clients.intakes)
