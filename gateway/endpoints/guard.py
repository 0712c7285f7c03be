"""ASGI middleware in front of all endpoints: client address, allowed origins, rate limits.

`Guard` finds the client's address behind trusted proxies and refuses pages of other origins.
`ConnectionLimiter` behind it bounds how often an address connects and makes requests. Public paths
(files and health checks) pass both.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.limits import Limits
from gateway.api.gateway import Gateway
from gateway.endpoints.responses import chat_reply
from gateway.protocols.engineio.errors import EngineError, ErrorCode, parse_query
from shared.addresses import Networks, peer, read_address
from shared.errors import ChatError
from shared.origins import Origins, is_own

PREFLIGHT_MAX_AGE_SECONDS: Final = 600
"""Seconds that a browser may remember what its preflight was answered."""

SOCKETIO: Final = "/socket.io"

PUBLIC: Final = frozenset({"/", "/docs", "/openapi.json", "/health/live", "/health/ready"})
PUBLIC_FOLDERS: Final = ("/chat/", "/client/", "/docs/")
"""What anybody may have, whatever page it is for: files, and whether the gateway is well."""


def address_of(scope: Scope) -> str:
    """Where a request that has passed the guard comes from."""
    client = scope.get("client")
    return client[0] if client else ""


class Guard:
    """Lets in whom the settings allow (ASGI)."""

    def __init__(self, app: ASGIApp, origins: Origins, trusted: Networks) -> None:
        """Stand before an application.

        Args:
            app: the application.
            origins: whose pages may ask.
            trusted: proxies that are believed who they ask for.
        """
        self._app = app
        self._origins = origins
        self._trusted = trusted
        self._limiter = ConnectionLimiter(app)
        # For pages of other origins that were found to be allowed.
        self._shared = CORSMiddleware(
            self._limiter,
            # Not "*": with credentials a browser takes only its own origin for an answer.
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=("Retry-After",),
            max_age=PREFLIGHT_MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 403."""
        app = self._app if scope["type"] == "lifespan" else self._way(scope)
        await app(scope, receive, send)

    def _way(self, scope: Scope) -> ASGIApp:
        """Find out who asks, and where that leads."""
        headers = Headers(scope=scope)
        self._introduce(scope, headers)
        path = scope["path"]
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS):
            return self._app
        # A browser says it of every page of another origin that could read the answer.
        origin, host = ",".join(headers.getlist("origin")), headers.get("host", "")
        if "origin" not in headers or (is_own(origin, host) and self._origins.allow(origin, host)):
            return self._limiter
        if self._origins.allow(origin, host):
            return self._shared
        return _foreign(path)

    def _introduce(self, scope: Scope, headers: Headers) -> None:
        """Let the scope say who asks, and how, by the word of a trusted proxy if there is one."""
        connected = address_of(scope)
        forwarded = headers.getlist("x-forwarded-for")
        scope["client"] = (peer(connected, forwarded, self._trusted), 0)
        proxy, scheme = read_address(connected), headers.get("x-forwarded-proto")
        if proxy and proxy in self._trusted and scheme in {"http", "https"}:
            scope["scheme"] = scheme.replace("http", "ws") if _is_socket(scope) else scheme


class ConnectionLimiter:
    """Bounds how often an address connects and asks (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 429."""
        if limits := _limits(scope):
            try:
                await _count(limits, scope)
            except ChatError as error:
                await chat_reply(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _count(limits: Limits, scope: Scope) -> None:
    if _is_socket(scope) or scope["path"].startswith(SOCKETIO):
        if not _goes_on(scope):
            await limits.connect(address_of(scope))
    else:
        await limits.rest(address_of(scope))


def _is_socket(scope: Scope) -> bool:
    return bool(scope["type"] == "websocket")


def _goes_on(scope: Scope) -> bool:
    """Whether a request names a session that it belongs to."""
    try:
        return scope["path"].startswith(SOCKETIO) and bool(
            parse_query(scope["query_string"]).get("sid")
        )
    except EngineError:
        return False


def _limits(scope: Scope) -> Limits | None:
    gateway: Gateway | None = getattr(scope["app"].state, "gateway", None)
    return gateway.access.limits if gateway else None


def _foreign(path: str) -> Response:
    """What a page of another origin is told."""
    told = "pages of this origin may not ask here"
    if path.startswith(SOCKETIO):
        body = EngineError(ErrorCode.FORBIDDEN, told).body()
        return Response(body, 403, {"Vary": "Origin"}, media_type="application/json")
    answer = chat_reply(ChatError("forbidden", told))
    answer.headers["Vary"] = "Origin"
    return answer
