"""The uvicorn server of a gateway: its configuration, and the drain before it stops."""

import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.applications import Starlette

from gateway.api.drain import drain
from gateway.connections.handshake import ChatProtocol
from gateway.connections.http_protocol import (
    ConnectionTimeouts,
    HalfOpenConnections,
    HandshakeProtocol,
)
from gateway.connections.keepalive import KeepaliveSweep
from gateway.endpoints.security_headers import SecurityHeaders
from shared.config import Settings


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains before it stops."""

    def __init__(self, config: uvicorn.Config, application: Starlette) -> None:
        super().__init__(config)
        self.application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does. A second Ctrl-C stops at once."""
        if gateway := getattr(self.application.state, "gateway", None):
            await drain(gateway)
        await super().shutdown(sockets)


def server_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """Make uvicorn's configuration for a gateway, from its settings."""
    timeouts = ConnectionTimeouts(
        settings.handshake_seconds, settings.max_half_open, settings.ping_seconds
    )
    config = uvicorn_config(app, settings.host, settings.port, settings.max_frame, timeouts)
    config.ssl_certfile = settings.tls_cert or None
    config.ssl_keyfile = settings.tls_key or None
    return config


def uvicorn_config(
    app: Starlette, host: str, port: int, max_frame_bytes: int, timeouts: ConnectionTimeouts
) -> uvicorn.Config:
    """Make uvicorn's configuration for an application on HOST:PORT.

    Args:
        app: the application.
        host: the address to listen on.
        port: the port; 0 for any free one.
        max_frame_bytes: bytes that a WebSocket message may have.
        timeouts: for requests and idle WebSockets.
    """
    half_open = HalfOpenConnections(timeouts.handshake_seconds, timeouts.max_half_open)
    return uvicorn.Config(
        SecurityHeaders(app),
        host=host,
        port=port,
        # uvicorn expects classes, and does nothing but call them: a partial will do.
        http=cast("type[HandshakeProtocol]", partial(HandshakeProtocol, half_open)),
        ws=cast("type[ChatProtocol]", partial(ChatProtocol, KeepaliveSweep(timeouts.ping_seconds))),
        ws_max_size=max_frame_bytes,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `Guard` reads them, and knows which proxies are trusted
        timeout_graceful_shutdown=2,
    )
