"""ASGI middleware that refuses requests for hosts that this server does not go by."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.endpoints.guard import HEALTH, SOCKETIO, address_of, gateway_of
from gateway.endpoints.responses import error_reply
from gateway.endpoints.security_headers import STARTS
from gateway.protocols.engineio.errors import EngineError, ErrorCode
from shared.trail import Source
from shared.trail.events import HostRefused
from shared.web.hosts import MALFORMED, MISDIRECTED, Hosts, PublicUrls, host_name

TRANSPORT_SECURITY: Final = "max-age=31536000"
"""`Strict-Transport-Security` (RFC 6797): for a year, a browser asks this host by https only."""


class HostCheck:
    """Answers requests for the hosts that are allowed, and refuses all others (ASGI).

    It stands behind what counts requests and finds their scheme, and before everything that
    answers. Health checks are exempt: load balancers ask by any name or address.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, public: PublicUrls) -> None:
        """Wrap an application.

        Args:
            app: gets the requests that pass.
            hosts: the hosts that are allowed.
            public: the URLs of the server. Answers by TLS for those of https say that it stays so.
        """
        self._app = app
        self._hosts = hosts
        self._secure = public.secure_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it with 400 or 421."""
        app = self._app
        if scope["type"] != "lifespan" and scope["path"] not in HEALTH:
            name = host_name(Headers(scope=scope).getlist("host"))
            if name is None:
                app = _refusal(scope["path"], HTTPStatus.BAD_REQUEST, MALFORMED)
            elif not self._hosts.allow(name):
                _note(scope, name)
                app = _refusal(scope["path"], HTTPStatus.MISDIRECTED_REQUEST, MISDIRECTED)
            elif name in self._secure and scope["scheme"] in {"https", "wss"}:
                send = _marking(send)
        await app(scope, receive, send)


def _note(scope: Scope, name: str) -> None:
    """Write to the trail that a request for a host was refused."""
    if (gateway := gateway_of(scope["app"])) is not None:
        address = address_of(scope)
        event = HostRefused(host=name, address=address)
        gateway.access.trail.note(event, Source.at(address))


def _marking(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] in STARTS:
            MutableHeaders(scope=message)["Strict-Transport-Security"] = TRANSPORT_SECURITY
        await send(message)

    return marked


def _refusal(path: str, status: HTTPStatus, message: str) -> Response:
    if path.startswith(SOCKETIO):
        code = ErrorCode.BAD_REQUEST if status == HTTPStatus.BAD_REQUEST else ErrorCode.FORBIDDEN
        return Response(EngineError(code, message).body(), status, media_type="application/json")
    return error_reply(status, message)
