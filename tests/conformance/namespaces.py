"""Socket.IO 5 with several namespaces: `EngineServer(settings, SocketIOApplication(handler))`.

The gateway serves one (`gateway/endpoints/socketio/chat.py`); the public suite asks for two.
"""

import math
from typing import Any, Final, Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.connections.link import PendingWork
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.engineio.packets import Binary
from gateway.protocols.socketio.decoder import SocketPacket
from tests.conformance.sockets import Socket, SocketIOSession

CONNECT_TIMEOUT_SECONDS: Final = 45.0
"""Seconds within which a session has to be connected to a namespace; the reference's default."""


class Handler(Protocol):
    """What is served over Socket.IO. It is called for one packet of a session after the other."""

    def on_connect(
        self, session: EngineSession, socket: Socket, auth: dict[str, Any]
    ) -> PendingWork | None:
        """Accept or refuse a connection to a namespace, by the socket's methods.

        Args:
            session: which asks; `session.query` are the parameters that it was opened with.
            socket: its namespace says what is asked for.
            auth: what the client sent along.

        Returns:
            What is to be awaited before the client is read further, if there is anything.
        """
        ...

    def on_event(
        self, session: EngineSession, socket: Socket, packet: SocketPacket
    ) -> PendingWork | None:
        """Take an event, and acknowledge it if it has an `id`.

        Returns:
            What is to be awaited before the client is read further, if there is anything.

        Raises:
            PacketError: it is malformed; the session is closed.
        """
        ...

    def on_disconnect(self, session: EngineSession, socket: Socket, reason: str) -> None:
        """A connected socket has ended, other than by `SocketIOApplication.disconnect`."""
        ...


class SocketIOApplication:
    """Sees to a session's namespaces on behalf of a handler."""

    def __init__(self, handler: Handler, connect_within: float = CONNECT_TIMEOUT_SECONDS) -> None:
        """Compose.

        Args:
            handler: what is served.
            connect_within: seconds that a session may be without a namespace.
        """
        self._handler = handler
        self._connect_within = connect_within

    def on_open(self, session: EngineSession, scope: Scope) -> None:
        """Begin; the client is to connect to a namespace soon."""
        session.state = SocketIOSession(session.send)
        session.authorization = Headers(scope=scope).get("authorization")
        session.expire_in(self._connect_within)

    def on_packet(self, session: EngineSession, message: str | Binary) -> PendingWork | None:
        """Take a message."""
        sockets: SocketIOSession = session.state
        happening = sockets.receive(message)
        if happening is None:
            return None
        kind, socket, packet = happening
        if kind == "event":
            return self._handler.on_event(session, socket, packet)
        if kind == "connect":
            return self._connect(session, socket, packet.auth)
        self._handler.on_disconnect(session, socket, "client namespace disconnect")
        self._expect(session)
        return None

    def on_close(self, session: EngineSession, reason: str) -> None:
        """Tell the handler of all that end with the session."""
        sockets: SocketIOSession = session.state
        for socket in sockets.end():
            self._handler.on_disconnect(session, socket, reason)

    def disconnect(self, session: EngineSession, socket: Socket) -> None:
        """End a socket from this side; its client sees `io server disconnect`."""
        session.state.disconnect(socket)
        self._expect(session)

    async def _connect(self, session: EngineSession, socket: Socket, auth: dict[str, Any]) -> None:
        if later := self._handler.on_connect(session, socket, auth):
            await later
        if not socket.connected:
            session.state.forget(socket)
        self._expect(session)

    def _expect(self, session: EngineSession) -> None:
        """Let only a session end by itself that is connected to nothing."""
        if session.state.connected:
            session.expire_in(None)
        elif session.engine.expires == math.inf:
            session.expire_in(self._connect_within)
