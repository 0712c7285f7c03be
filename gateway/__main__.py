"""`python -m gateway`: one gateway, listening on HOST:PORT."""

import asyncio
import contextlib
import gc
import socket
from functools import partial
from typing import Final, cast

import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from gateway.app import make_app
from gateway.drain import drain
from gateway.endpoints.security_headers import SecurityHeaders
from gateway.handshakes import HalfOpen, HandshakeProtocol, Patience
from gateway.identity import check_identity
from gateway.protocols.frames import MOST_FRAME
from gateway.rounds import Rounds
from gateway.websocket_handshake import ChatProtocol
from shared.broker.client import UNAVAILABLE, connect
from shared.broker.fence import Fence
from shared.broker.keyspace import Keyspace
from shared.broker.members import UNKNOWN_DATABASE, AnotherDatabase, Membership
from shared.broker.partitions import PartitionProbe
from shared.broker.pipe import Pipe
from shared.config import ConfigError, Settings, incarnation, load_or_exit, refuse
from shared.listener import listen_or_exit
from shared.storage.engine import OUTAGE as STORAGE_OUTAGE
from shared.storage.engine import open_engine
from shared.storage.installation import (
    Installation,
    check_settings,
    confirm_place,
    read_installation,
)
from shared.storage.tables import SCHEMA
from shared.telemetry import configure, logger
from shared.tls import check_certificate

DEFAULT: Final = Patience()

log = logger("gateway")


class DrainingServer(uvicorn.Server):
    """Sends its clients elsewhere before it stops."""

    def __init__(self, config: uvicorn.Config, application: Starlette) -> None:
        super().__init__(config)
        self.application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does; a second Ctrl-C leaves at once."""
        if services := getattr(self.application.state, "services", None):
            await drain(services)
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
    engine = open_engine(settings.database_url, writes=False)
    pipe = Pipe(settings.redis_url)
    try:
        found = await installation_of(engine, settings)
        keys = Keyspace(found.namespace, found.partitions)
        membership = Membership(
            *(pipe, keys, incarnation(settings.gateway_name), "gateway"),
            schema=SCHEMA,
            database=found.stored_in,
        )
        with contextlib.suppress(*UNAVAILABLE):  # it may come; readiness looks again
            await announced(membership)
            await membership.leave()
            await PartitionProbe(pipe, keys, Fence(len(keys))).states()
    finally:
        pipe.close()
        await engine.dispose()
    return found


async def installation_of(engine: AsyncEngine, settings: Settings) -> Installation:
    """Whose data this is, as soon as a persister has prepared the database.

    With NAMESPACE and PARTITIONS a gateway starts without SQL, too.

    Raises:
        ConfigError: it is another's, or a copy, or this build cannot use it.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((*STORAGE_OUTAGE, NotPreparedError)),
        wait=wait_fixed(0.1),
        before_sleep=_say_why,
    ):
        with attempt:
            try:
                return await prepared(engine, settings)
            except (*STORAGE_OUTAGE, NotPreparedError):
                if settings.namespace and settings.partitions:
                    return Installation(settings.namespace, settings.partitions, UNKNOWN_DATABASE)
                raise
    raise AssertionError("it is tried for ever")


async def prepared(engine: AsyncEngine, settings: Settings) -> Installation:
    """Whose data this is, if a persister has prepared the database.

    Raises:
        NotPreparedError: none has.
        ConfigError: it is another's, or a copy, or this build cannot use it.
        STORAGE_OUTAGE: it is away.
    """
    found = await read_installation(engine)
    if found is None:
        raise NotPreparedError("no persister has prepared the database yet")
    check_settings(found, settings.partitions, settings.namespace)
    return await confirm_place(engine, found)


async def announced(membership: Membership) -> None:
    """Announce this gateway, as soon as a persister works with the same database.

    Raises:
        ConfigError: this build does not read the data, or the installation is stored elsewhere.
        UNAVAILABLE: the broker is away.
    """
    while True:
        try:
            await membership.announce()
        except AnotherDatabase as error:
            if not error.later:
                raise
            await asyncio.sleep(0.1)
        else:
            return


class NotPreparedError(Exception):
    """The database holds no installation yet."""


def _say_why(state: RetryCallState) -> None:
    """Say what is waited for, now and then."""
    if state.attempt_number % 50 == 1:
        error = state.outcome.exception() if state.outcome else None
        log.warning("waiting for the database", error=str(error).split("\n", 1)[0])


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
