"""The uvicorn server of a gateway: its configuration, and the drain before it stops."""

import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.applications import Starlette

from gateway.api.drain import drain
from gateway.connections.handshake import ChatProtocol
from gateway.connections.http.half_open import ConnectionTimeouts, HalfOpenConnections
from gateway.connections.http.protocol import HandshakeProtocol
from gateway.connections.http.slowed import SlowedAddresses
from gateway.connections.keepalive import KeepaliveSweep
from gateway.endpoints.guard import count_malformed
from gateway.endpoints.security_headers import SecurityHeaders
from shared.config import Settings
from shared.essential import EssentialTask
from shared.telemetry import logger
from shared.tls import CIPHERS
from shared.tls.context import RenewedContext
from shared.tls.watch import Level

log = logger(__name__)


TELL_SECONDS = 2.0
"""Seconds that clients which poll have to learn that their sessions have ended."""


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains before it stops, and renews its certificate."""

    def __init__(
        self,
        config: uvicorn.Config,
        application: Starlette,
        certificate: RenewedContext | None = None,
    ) -> None:
        super().__init__(config)
        self.application = application
        self._certificate = certificate

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        if self._certificate is None:
            return await super().serve(sockets)
        watching = EssentialTask(self._certificate.watch.run(), "certificate")
        try:
            await super().serve(sockets)
        finally:
            await watching.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does. A second Ctrl-C stops at once."""
        if gateway := getattr(self.application.state, "gateway", None):
            await drain(gateway)
            await self.application.state.socketio.until_told(TELL_SECONDS)
        await super().shutdown(sockets)


def make_server(app: Starlette, settings: Settings) -> DrainingServer:
    """Make the server of a gateway, from its settings."""
    certificate = None
    if settings.tls_cert:
        certificate = RenewedContext(settings.tls_cert, settings.tls_key, _say)
    return DrainingServer(_config(app, settings, certificate), app, certificate)


def _say(sentence: str, level: Level) -> None:
    getattr(log, level)(sentence)


def _config(
    app: Starlette, settings: Settings, certificate: RenewedContext | None
) -> uvicorn.Config:
    timeouts = ConnectionTimeouts(
        settings.handshake_seconds, settings.max_half_open, settings.ping_seconds
    )
    slowed: SlowedAddresses = app.state.slowed
    slowed.count_malformed = partial(count_malformed, app, settings.trusted_proxies)
    config = uvicorn_config(app, settings.host, settings.port, settings.max_frame, timeouts, slowed)
    config.ssl_certfile = settings.tls_cert or None
    config.ssl_keyfile = settings.tls_key or None
    # For TLS 1.2, the oldest that Python speaks. All suites of TLS 1.3 are good ones.
    config.ssl_ciphers = ":".join(CIPHERS)
    if certificate is not None:
        make_first = certificate.make_first
        config.ssl_context_factory = lambda _, make: make_first(make)
    return config


def uvicorn_config(
    app: Starlette,
    host: str,
    port: int,
    max_frame_bytes: int,
    timeouts: ConnectionTimeouts,
    slowed: SlowedAddresses,
) -> uvicorn.Config:
    """Make uvicorn's configuration for an application on HOST:PORT.

    Args:
        app: the application.
        host: the address to listen on.
        port: the port; 0 for any free one.
        max_frame_bytes: bytes that a WebSocket message may have.
        timeouts: for requests and idle WebSockets.
        slowed: addresses that asked too often, as the guard of the application knows them.
    """
    half_open = HalfOpenConnections(timeouts.handshake_seconds, timeouts.max_half_open)
    return uvicorn.Config(
        SecurityHeaders(app),
        host=host,
        port=port,
        # uvicorn expects classes, and does nothing but call them: a partial will do.
        http=cast("type[HandshakeProtocol]", partial(HandshakeProtocol, half_open, slowed)),
        ws=cast("type[ChatProtocol]", partial(ChatProtocol, KeepaliveSweep(timeouts.ping_seconds))),
        ws_max_size=max_frame_bytes,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `Guard` reads them, and knows which proxies are trusted
        timeout_graceful_shutdown=2,
    )
