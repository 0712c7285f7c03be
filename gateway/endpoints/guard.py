"""ASGI middleware in front of all endpoints: client address, allowed origins, rate limits.

`Guard` finds the client's address behind trusted proxies and refuses pages of origins that the
settings do not allow. `ConnectionLimiter` behind it limits how often an address connects and makes
requests. Public paths (files and health checks) skip both checks.
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
"""Seconds for which a browser may reuse the answer to a preflight request."""

SOCKETIO: Final = "/socket.io"

PUBLIC: Final = frozenset({"/", "/docs", "/openapi.json", "/health/live", "/health/ready"})
PUBLIC_FOLDERS: Final = ("/chat/", "/client/", "/docs/")
"""Paths open to pages of every origin: files, documents and health checks."""


def address_of(scope: Scope) -> str:
    """Return the client's address of a request that has passed the guard."""
    client = scope.get("client")
    return client[0] if client else ""


class Guard:
    """Refuses requests from pages of other origins, unless the settings allow them (ASGI)."""

    def __init__(self, app: ASGIApp, origins: Origins, trusted: Networks) -> None:
        """Wrap an application.

        Args:
            app: gets the requests that pass.
            origins: the origins whose pages may use this gateway.
            trusted: proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
        """
        self._app = app
        self._origins = origins
        self._trusted = trusted
        self._limiter = ConnectionLimiter(app)
        # For pages of other origins that the settings allow.
        self._cors_limiter = CORSMiddleware(
            self._limiter,
            # Not "*": to a request with credentials a browser accepts only its own origin.
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=("GET", "HEAD", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=("Retry-After", "Link", "Parley-Partial"),
            max_age=PREFLIGHT_MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 403."""
        app = self._app if scope["type"] == "lifespan" else self._route(scope)
        await app(scope, receive, send)

    def _route(self, scope: Scope) -> ASGIApp:
        """Return the application that a request goes to, or a refusal."""
        headers = Headers(scope=scope)
        self._set_client(scope, headers)
        path = scope["path"]
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS):
            return self._app
        # A browser sends `Origin` for each page of another origin that could read the answer.
        origin, host = ",".join(headers.getlist("origin")), headers.get("host", "")
        if "origin" not in headers or (is_own(origin, host) and self._origins.allow(origin, host)):
            return self._limiter
        if self._origins.allow(origin, host):
            return self._cors_limiter
        return _foreign_origin_response(path)

    def _set_client(self, scope: Scope, headers: Headers) -> None:
        """Put the client's address and scheme into the scope, as a trusted proxy gives them."""
        connected = address_of(scope)
        forwarded = headers.getlist("x-forwarded-for")
        scope["client"] = (peer(connected, forwarded, self._trusted), 0)
        proxy, scheme = read_address(connected), headers.get("x-forwarded-proto")
        if proxy and proxy in self._trusted and scheme in {"http", "https"}:
            scope["scheme"] = scheme.replace("http", "ws") if _is_socket(scope) else scheme


class ConnectionLimiter:
    """Limits how often an address connects and makes requests (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 429."""
        if limits := _find_limits(scope):
            try:
                await _count_request(limits, scope)
            except ChatError as error:
                await chat_reply(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _count_request(limits: Limits, scope: Scope) -> None:
    if _is_socket(scope) or scope["path"].startswith(SOCKETIO):
        if not _continues_session(scope):
            await limits.connect(address_of(scope))
    else:
        await limits.rest(address_of(scope))


def _is_socket(scope: Scope) -> bool:
    return bool(scope["type"] == "websocket")


def _continues_session(scope: Scope) -> bool:
    """Return True if a Socket.IO request names a session, and so opens none."""
    try:
        return scope["path"].startswith(SOCKETIO) and bool(
            parse_query(scope["query_string"]).get("sid")
        )
    except EngineError:
        return False


def _find_limits(scope: Scope) -> Limits | None:
    gateway: Gateway | None = getattr(scope["app"].state, "gateway", None)
    return gateway.access.limits if gateway else None


def _foreign_origin_response(path: str) -> Response:
    """Return the refusal of a page whose origin is not allowed."""
    message = "pages of this origin are not allowed to use this server"
    if path.startswith(SOCKETIO):
        body = EngineError(ErrorCode.FORBIDDEN, message).body()
        return Response(body, 403, {"Vary": "Origin"}, media_type="application/json")
    answer = chat_reply(ChatError("forbidden", message))
    answer.headers["Vary"] = "Origin"
    return answer
