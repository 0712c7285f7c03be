"""The ASGI application of a gateway: its endpoints, and the gateway that they call."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from gateway.api.assembly import build_gateway, start_gateway
from gateway.api.backends import Backends
from gateway.api.gateway import Gateway
from gateway.connections.http.slowed import SlowedAddresses
from gateway.endpoints import health, responses, web, websocket
from gateway.endpoints.guard import Guard
from gateway.endpoints.hosts import HostCheck
from gateway.endpoints.operator.admin import make_admin
from gateway.endpoints.operator.admin_server import serving_admin
from gateway.endpoints.operator.gauges import show_gauges
from gateway.endpoints.rest import routes as rest
from gateway.endpoints.security_headers import SecurityHeaders
from gateway.endpoints.slashes import Slashes
from gateway.endpoints.socketio.chat import socketio_server
from shared.config import Settings
from shared.errors import ChatError
from shared.metrics import LoopLag
from shared.storage.installation import Installation
from shared.telemetry import logger
from shared.web.hosts import Hosts

log = logger(__name__)


def make_app(
    settings: Settings, installation: Installation, admin: socket.socket | None = None
) -> Starlette:
    """Make the ASGI application of one gateway.

    Args:
        settings: of this gateway.
        installation: the data that it serves.
        admin: the listening socket of the operator's port, if there is one.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _open(app, settings, installation, stack)
            if admin is not None:
                await _open_admin(app.state.gateway, settings, admin, stack)
            log.info("gateway starts", host=settings.host, port=settings.port)
            yield
        log.info("gateway ended")

    async def socketio(scope: Scope, receive: Receive, send: Send) -> None:
        await app.state.socketio(scope, receive, send)

    routes = [
        # They are tried in this order, and most requests are for the first two.
        WebSocketRoute("/ws", websocket.chat),
        Mount("/socket.io", socketio),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        *rest.routes(),
        *web.routes(),
    ]
    errors = {
        ChatError: responses.chat_error,
        HTTPException: responses.http_error,
        Exception: responses.server_error,
    }
    slowed, public = SlowedAddresses(), settings.public_url
    middleware = [
        Middleware(Slashes, folders=web.FOLDERS, page=web.DOCS_PAGE),
        Middleware(
            Guard, origins=settings.origins, trusted=settings.trusted_proxies, slowed=slowed
        ),
        Middleware(HostCheck, hosts=Hosts(public, settings.listens), public=public),
    ]
    app = Starlette(
        routes=routes, middleware=middleware, lifespan=lifespan, exception_handlers=errors
    )
    app.state.slowed = slowed
    app.router.redirect_slashes = False  # see `Slashes`
    return app


async def _open(
    app: Starlette, settings: Settings, installation: Installation, stack: AsyncExitStack
) -> None:
    backends = Backends.open(settings, installation, stack)
    gateway = build_gateway(settings, backends, stack)
    start_gateway(gateway, backends, stack)
    app.state.gateway = gateway
    app.state.socketio = socketio_server(gateway)


async def _open_admin(
    gateway: Gateway, settings: Settings, listener: socket.socket, stack: AsyncExitStack
) -> None:
    show_gauges(gateway, Path(settings.data_dir))
    stack.callback(LoopLag().close)
    app = SecurityHeaders(make_admin(gateway))
    await stack.enter_async_context(serving_admin(app, listener))
