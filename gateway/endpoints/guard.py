"""ASGI middleware in front of all endpoints: client address, rate limits, allowed origins.

`Guard` finds the client's address behind trusted proxies, counts the request, and only then looks
at more of it. Public paths (files and health checks) are open to pages of every origin. A health
check is always answered: what asks too often is slowed down, but not told that a gateway is ill.
"""

import asyncio
from collections.abc import Container
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.rates.limits import Limits
from gateway.api.gateway import Gateway
from gateway.connections.http.slowed import PAUSE_SECONDS, Refusal, RequestHead, SlowedAddresses
from gateway.endpoints.responses import chat_reply
from gateway.endpoints.security_headers import ENCODED
from gateway.protocols.engineio.errors import EngineError, ErrorCode, parse_query
from shared.addresses import Networks, peer, rate_limit_address, read_address
from shared.errors import ChatError, rate_limited
from shared.trail import Source
from shared.trail.events import OriginRefused
from shared.web.origins import Origins, is_own

PREFLIGHT_MAX_AGE_SECONDS: Final = 600
"""Seconds for which a browser may reuse the answer to a preflight request."""

Kind = Literal["connections", "pages", "rest", "session"]
"""What a request costs: a token of one of the rates, or what its Socket.IO session pays."""

SOCKETIO: Final = "/socket.io"

EXPOSED_HEADERS: Final = ("Retry-After", "Link", "Parley-Partial")
"""Headers of an answer that pages of other origins may read."""

HEALTH: Final = frozenset({"/health/live", "/health/ready"})

PUBLIC: Final = frozenset({"/", "/docs", "/openapi.json", *HEALTH})
PUBLIC_FOLDERS: Final = ("/chat/", "/client/", "/docs/")
"""Paths open to pages of every origin: files, documents and health checks."""


def address_of(scope: Scope) -> str:
    """Return the client's address of a request that has passed the guard."""
    client = scope.get("client")
    return client[0] if client else ""


class Guard:
    """Counts each request, then refuses pages of origins that the settings do not allow (ASGI)."""

    def __init__(
        self, app: ASGIApp, origins: Origins, trusted: Networks, slowed: SlowedAddresses
    ) -> None:
        """Wrap an application.

        Args:
            app: gets the requests that pass.
            origins: the origins whose pages may use this gateway.
            trusted: proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
            slowed: is told which addresses are refused.
        """
        self._app = app
        self._origins = origins
        self._trusted = trusted
        self._slowed = slowed
        slowed.refuse = self._refuse_early
        # When the next request of a kind and address may pass, by the event loop's clock, and the
        # answer until then.
        self._refused: dict[tuple[str, str], tuple[float, bytes]] = {}
        self._sessions: Container[str] = ()
        self._limits: Limits | None = None
        # For pages of other origins that the settings allow.
        self._cors = CORSMiddleware(
            app,
            # Not "*": to a request with credentials a browser accepts only its own origin.
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=("GET", "HEAD", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 403 or 429."""
        app = self._app if scope["type"] == "lifespan" else await self._route(scope)
        await app(scope, receive, send)

    async def _route(self, scope: Scope) -> ASGIApp:
        """Return the application that a request goes to, or a refusal."""
        headers = Headers(scope=scope)
        connected = address_of(scope)
        self._set_client(scope, headers)
        # Whatever is worked on is counted before, refusals of other origins and preflights too.
        if limits := _limits_of(scope["app"]):
            self._sessions = scope["app"].state.socketio.sessions
            self._limits = limits
            kind = self._kind(scope["path"], scope["query_string"], upgrading=_is_socket(scope))
            try:
                await _count_request(limits, kind, address_of(scope))
            except ChatError as error:
                closing = self._slow_down(connected)
                if scope["path"] not in HEALTH:
                    self._note_refusal(kind, address_of(scope), error)
                    answer = self._too_many_response(error, headers)
                    if closing and not _is_socket(scope):
                        answer.headers["Connection"] = "close"
                    return answer
        path = scope["path"]
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS):
            return self._app
        # A browser sends `Origin` for each page of another origin that could read the answer.
        if "origin" not in headers:
            return self._app
        origin, host = _origin_and_host(headers)
        if not self._origins.allow(origin, host):
            _note_origin(scope, origin)
            return _foreign_origin_response(path)
        return self._app if is_own(origin, host) else self._cors

    def _set_client(self, scope: Scope, headers: Headers) -> None:
        """Put the client's address and scheme into the scope, as a trusted proxy gives them."""
        connected = address_of(scope)
        forwarded = headers.getlist("x-forwarded-for")
        scope["client"] = (peer(connected, forwarded, self._trusted), 0)
        scheme = headers.get("x-forwarded-proto")
        if scheme in {"http", "https"} and self._is_trusted(connected):
            scope["scheme"] = scheme.replace("http", "ws") if _is_socket(scope) else scheme

    def _is_trusted(self, connected: str) -> bool:
        proxy = read_address(connected)
        return proxy is not None and proxy in self._trusted

    def _slow_down(self, connected: str) -> bool:
        """Slow the address of a connection down; True if the connection is to be closed."""
        # Connections of a proxy carry the requests of others, too.
        return not self._is_trusted(connected) and self._slowed.slow(connected)

    def _kind(self, path: str, query: bytes, *, upgrading: bool) -> Kind:
        """Return what a request costs."""
        if path.startswith(SOCKETIO) and _session(query) in self._sessions:
            return "session"
        if upgrading or path.startswith(SOCKETIO):
            return "connections"
        return "pages" if path in PUBLIC or path.startswith(PUBLIC_FOLDERS) else "rest"

    def _note_refusal(self, kind: Kind, address: str, error: ChatError) -> None:
        """Remember for how long requests of a kind and address need not be counted."""
        now = asyncio.get_running_loop().time()
        while self._refused and self._refused[oldest := next(iter(self._refused))][0] <= now:
            del self._refused[oldest]
        until = now + (error.retry_after or 0) / 1000
        self._refused[kind, rate_limit_address(address)] = until, _bytes(chat_reply(error))

    def _refuse_early(self, request: RequestHead) -> Refusal | None:
        """Refuse a request that would be refused, before anything is made of it."""
        if not self._refused:
            return None
        target, _, query = request.target.partition(b"?")
        path = unquote(target.decode("latin-1"))
        if path in HEALTH or not path.startswith("/"):
            return None
        headers = Headers(raw=request.headers)
        forwarded = headers.getlist("x-forwarded-for")
        address = peer(request.connected, forwarded, self._trusted)
        kind = self._kind(path, query, upgrading=request.upgrading)
        until, answer = self._refused.get((kind, rate_limit_address(address)), (0, b""))
        wait = until - asyncio.get_running_loop().time()
        if wait <= 0:
            return None
        if self._limits is not None:
            self._limits.note_refusal(kind, address)
        closing = self._slow_down(request.connected) or request.upgrading
        if closing or request.method == b"HEAD" or "origin" in headers:
            response = self._too_many_response(rate_limited(int(wait * 1000) + 1), headers)
            if closing:
                response.headers["Connection"] = "close"
            answer = _bytes(response, body=request.method != b"HEAD")
        # A proxy does not ask anything else on a connection whose answer it waits for.
        pause = PAUSE_SECONDS if self._is_trusted(request.connected) else 0
        return Refusal(answer, closing, pause)

    def _too_many_response(self, error: ChatError, headers: Headers) -> Response:
        answer = chat_reply(error)
        origin, host = _origin_and_host(headers)
        if origin and self._origins.allow(origin, host) and not is_own(origin, host):
            # A page that may ask may also read when to ask again.
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Allow-Credentials"] = "true"
            answer.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
            answer.headers["Vary"] = "Origin"
        return answer


def _bytes(answer: Response, *, body: bool = True) -> bytes:
    """Return an answer as it is sent, with the headers that every answer has."""
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += (b"%b: %b" % pair for pair in (*answer.raw_headers, *ENCODED))
    return b"\r\n".join([*lines, b"", bytes(answer.body) if body else b""])


async def _count_request(limits: Limits, kind: Kind, address: str) -> None:
    """Count a request of an address.

    Raises:
        ChatError: `rate_limited`.
    """
    if kind == "connections":
        await limits.connect(address)
    elif kind == "pages":
        limits.page(address)
    elif kind == "rest":
        await limits.rest(address)


def _is_socket(scope: Scope) -> bool:
    return bool(scope["type"] == "websocket")


def _session(query: bytes) -> str:
    """Return the `sid` that a query names; empty if there is none."""
    try:
        return parse_query(query).get("sid", "") if b"sid=" in query else ""
    except EngineError:
        return ""


def gateway_of(app: Starlette) -> Gateway | None:
    """Return the gateway of an application; None before it has started."""
    gateway: Gateway | None = getattr(app.state, "gateway", None)
    return gateway


def _limits_of(app: Starlette) -> Limits | None:
    gateway = gateway_of(app)
    return gateway.access.limits if gateway else None


def _note_origin(scope: Scope, origin: str) -> None:
    """Write to the trail that a page of an origin was refused."""
    if (gateway := gateway_of(scope["app"])) is not None:
        address = address_of(scope)
        event = OriginRefused(origin=origin, address=address)
        gateway.access.trail.note(event, Source.at(address))


def _origin_and_host(headers: Headers) -> tuple[str, str]:
    return ",".join(headers.getlist("origin")), headers.get("host", "")


def count_malformed(app: Starlette, trusted: Networks, address: str) -> bool:
    """Count bytes that were no request; return True if an address sent too many."""
    limits = _limits_of(app)
    found = read_address(address)
    if limits is None or found is None or found in trusted:
        return False
    try:
        limits.page(address)
    except ChatError:
        return True
    return False


def _foreign_origin_response(path: str) -> Response:
    """Return the refusal of a page whose origin is not allowed."""
    message = "pages of this origin are not allowed to use this server"
    if path.startswith(SOCKETIO):
        body = EngineError(ErrorCode.FORBIDDEN, message).body()
        return Response(body, 403, {"Vary": "Origin"}, media_type="application/json")
    answer = chat_reply(ChatError("forbidden", message))
    answer.headers["Vary"] = "Origin"
    return answer
