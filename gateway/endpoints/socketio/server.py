"""An Engine.IO 4 server as an ASGI application: `EngineServer(settings, application, name)`.

To be mounted at a path that ends in a slash. The server keeps the sessions; the application that it
serves gets them through the callbacks of `Application`.
"""

import asyncio
import contextlib
import secrets

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.connections.intake import Intakes
from gateway.connections.websocket import ADOPT, Adopt
from gateway.endpoints.guard import address_of
from gateway.endpoints.socketio.engine_session import Application, ClientHungUp, EngineSession, pay
from gateway.endpoints.socketio.engine_socket import EngineSocket
from gateway.protocols.engineio.errors import (
    EngineError,
    ErrorCode,
    Request,
    check,
    parse_query,
)
from gateway.protocols.engineio.packets import (
    Packet,
    PacketError,
    count_packets,
    decode_payload,
)
from gateway.protocols.engineio.settings import EngineSettings


class TooLarge(Exception):
    """The body of a POST is larger than `max_payload`."""


class EngineServer:
    """Serves an application over Engine.IO.

    Attributes:
        sessions: the sessions that have not ended, by sid.
    """

    def __init__(
        self,
        settings: EngineSettings,
        application: Application,
        name: str = "",
        intakes: Intakes | None = None,
    ) -> None:
        """Create a server.

        Args:
            settings: intervals and limits.
            application: handles the messages.
            name: the first part of every sid, before a dot. Load balancers route by it.
            intakes: opens the budgets of what clients send; None where rates are not limited.
        """
        self.sessions: dict[str, EngineSession] = {}
        self._forgotten = asyncio.Event()
        self._settings = settings
        self._application = application
        self._intakes = intakes
        self._prefix = f"{name}." if name else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket (ASGI)."""
        if scope["type"] == "websocket":
            await self._websocket(WebSocket(scope, receive, send))
        else:
            await self._serve(scope, receive, send)

    async def until_told(self, within: float) -> None:
        """Wait until the clients of ended sessions know it, for so many seconds at most.

        A client that polls may be between two polls when its session ends. Without the wait a
        gateway that stops then would be gone when the next one comes.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while any(session.engine.closed for session in self.sessions.values()):
                    self._forgotten.clear()
                    await self._forgotten.wait()

    def close(self) -> None:
        """End all sessions."""
        for session in list(self.sessions.values()):
            session.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(HttpRequest(scope, receive), receive)
        except EngineError as error:
            answer = _refusal(error)
        except (PacketError, TimeoutError):
            answer = _refusal(EngineError(ErrorCode.BAD_REQUEST))
        except TooLarge:
            answer = Response(status_code=413)
        except (ClientHungUp, ClientDisconnect):
            return  # the client has closed the connection
        answer.headers["Cache-Control"] = "no-store"
        await answer(scope, receive, send)

    async def _answer(self, http: HttpRequest, receive: Receive) -> Response:
        if http.method == "OPTIONS":
            return Response(status_code=204)
        request = _request(http.scope, http.headers.get("origin"))
        session = self._find_session(request)
        if session is None:
            session = self._open(request, http.scope)
        elif request.method == "POST":
            await self._post(session, http)
            return Response(b"ok", media_type="text/html")
        return Response(await session.poll(receive), media_type="text/plain; charset=UTF-8")

    async def _websocket(self, websocket: WebSocket) -> None:
        try:
            request = _request(websocket.scope, websocket.headers.get("origin"))
            session = self._find_session(request)
        except EngineError as error:
            # 400 for every error, as the reference server answers.
            await websocket.send_denial_response(
                Response(error.message, status_code=400, media_type="text/html")
            )
            return
        await websocket.accept()
        upgrading = session is not None
        if session is None:
            session = self._open(request, websocket.scope)
        elif not session.engine.begin_upgrade(session.now):
            await websocket.close()
            return
        adopt: Adopt = websocket.scope["extensions"][ADOPT]
        adopt(
            lambda link: EngineSocket(session, link, self._settings, upgrading=upgrading),
            session.intake,
        )

    def _find_session(self, request: Request) -> EngineSession | None:
        """Check a request and return its session; None if it is to open one.

        Raises:
            EngineError: the request is refused.
        """
        session = self.sessions.get(request.sid)
        if session is not None:
            session.tick_if_due()
            if session.engine.gone:
                session = None
        check(request, session.transport if session else None)
        return session

    def _open(self, request: Request, scope: Scope) -> EngineSession:
        sid = self._prefix + secrets.token_urlsafe(15)
        intake = self._intakes.open(request.address) if self._intakes else None
        session = EngineSession(
            request, sid, self._settings, self._application, self._forget, intake
        )
        self.sessions[sid] = session
        self._application.on_open(session, scope)
        session.flush()
        return session

    def _forget(self, sid: str) -> None:
        self.sessions.pop(sid, None)
        self._forgotten.set()

    async def _post(self, session: EngineSession, http: HttpRequest) -> None:
        engine = session.engine
        try:
            engine.post()
        except PacketError:
            session.flush()
            raise
        try:
            body = await self._body(http)
            await pay(session.intake, len(body), count_packets(body))
            for packet in self._packets(session, body):
                if work := session.receive(packet):
                    await work
                await asyncio.sleep(0)  # others are served between two packets
        except (ClientDisconnect, TimeoutError):
            session.fail("transport error")
            raise
        finally:
            engine.posting = False
            session.flush()

    def _packets(self, session: EngineSession, body: bytes) -> list[Packet]:
        try:
            return decode_payload(body, self._settings.max_packets)
        except PacketError:
            session.fail("parse error")
            raise

    async def _body(self, http: HttpRequest) -> bytes:
        """Read the body of a POST.

        Raises:
            TooLarge: the body is larger than `max_payload`.
            TimeoutError: the body did not come in the time after which a silent session ends.
        """
        max_bytes = self._settings.max_payload
        if int(http.headers.get("content-length", "0")) > max_bytes:
            raise TooLarge
        body = bytearray()
        async with asyncio.timeout(self._settings.silence):
            async for chunk in http.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge
        return bytes(body)


def _request(scope: Scope, origin: str | None) -> Request:
    return Request(
        scope.get("method", "GET"),
        parse_query(scope["query_string"]),
        upgrade=scope["type"] == "websocket",
        origin=origin or "",
        address=address_of(scope),
    )


def _refusal(error: EngineError) -> Response:
    return Response(error.body(), status_code=error.status, media_type="application/json")
