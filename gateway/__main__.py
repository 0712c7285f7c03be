"""`python -m gateway`: one gateway, listening on HOST:PORT."""

import asyncio
import gc
import socket
from functools import partial
from typing import Final, cast

import uvicorn
from starlette.applications import Starlette

from gateway.access.identity import check_identity
from gateway.api.drain import drain
from gateway.app import make_app
from gateway.cluster.installation import find_installation
from gateway.connections.handshake import ChatProtocol
from gateway.connections.http_protocol import HalfOpen, HandshakeProtocol, Patience
from gateway.connections.keepalive import Rounds
from gateway.endpoints.security_headers import SecurityHeaders
from gateway.protocols.frames import MOST_FRAME
from shared.broker.transport.client import connect
from shared.config import ConfigError, Settings, load_or_exit, refuse
from shared.listener import listen_or_exit
from shared.storage.installation import Installation
from shared.telemetry import configure
from shared.tls import check_certificate

DEFAULT: Final = Patience()


class DrainingServer(uvicorn.Server):
    """Sends its clients elsewhere before it stops."""

    def __init__(self, config: uvicorn.Config, application: Starlette) -> None:
        super().__init__(config)
        self.application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does; a second Ctrl-C leaves at once."""
        if gateway := getattr(self.application.state, "gateway", None):
            await drain(gateway)
        await super().shutdown(sockets)


def serving(
    app: Starlette,
    host: str,
    port: int,
    *,
    most_frame: int = MOST_FRAME,
    tls_cert: str = "",
    tls_key: str = "",
    patience: Patience = DEFAULT,
) -> uvicorn.Config:
    """How a gateway serves an application.

    Args:
        app: the application.
        host: the address it listens on.
        port: the port.
        most_frame: bytes of a WebSocket message.
        tls_cert: the file of a certificate, to serve TLS.
        tls_key: the file of its key, where that is another.
        patience: what a connection may take its time for.
    """
    half_open = HalfOpen(patience.handshake_seconds, patience.most_half_open)
    return uvicorn.Config(
        SecurityHeaders(app),
        host=host,
        port=port,
        # All that uvicorn does with either is to call it.
        http=cast("type[HandshakeProtocol]", partial(HandshakeProtocol, half_open)),
        ws=cast("type[ChatProtocol]", partial(ChatProtocol, Rounds(patience.ping_seconds))),
        ws_max_size=most_frame,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the guard knows whom to believe
        timeout_graceful_shutdown=2,
        ssl_certfile=tls_cert or None,
        ssl_keyfile=tls_key or None,
    )


async def check(settings: Settings) -> Installation:
    """Find out now what could never work; whose data it is.

    Raises:
        ConfigError: a URL or a certificate cannot be used, settings do not go together, this build
            does not read the data, or it is another installation's.
    """
    check_identity(settings)
    if settings.tls_cert or settings.tls_key:
        check_certificate(settings.tls_cert, settings.tls_key)
    await connect(settings.redis_url).aclose()
    return await find_installation(settings)


def main() -> None:
    """Read the settings and serve until SIGTERM or SIGINT."""
    settings = load_or_exit(Settings)
    configure(settings, settings.gateway_name)
    operator = listen_or_exit(settings)
    try:
        installation = asyncio.run(check(settings))
    except ConfigError as error:
        refuse(str(error))
    patience = Patience(settings.handshake_seconds, settings.max_half_open, settings.ping_seconds)
    app = make_app(settings, installation, operator)
    config = serving(
        app,
        settings.host,
        settings.port,
        patience=patience,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
    )
    server = DrainingServer(config, app)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    server.run()
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
