"""The connection for commands and scripts, and what its failures mean to a client of ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)
from redis.maint_notifications import MaintNotificationsConfig

from shared.broker.scripts import source
from shared.broker.transport.resp import tls_context
from shared.config import ConfigError, invalid
from shared.errors import broker_unavailable

TRANSIENT_ERROR_PREFIXES = (
    "MISCONF",
    "NOREPLICAS",
    "BUSY",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
)
"""How answers begin with which a server says that it cannot serve now."""

MAX_CONNECTIONS = 32
"""Connections of one client: a storm of callers waits for one rather than opening more."""

Client = Redis
Failure = RedisError
"""Whatever the broker's client raises."""

UNAVAILABLE = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OutOfMemoryError,
    OSError,
)
"""Failures of the broker, not of what was asked."""


def connect(url: str, *, timeout: float = 5.0) -> Client:
    """A client with a pool of connections; it connects when first used.

    It never repeats a command by itself: a write whose answer was lost would be done twice.

    Args:
        url: redis://, rediss:// or unix://.
        timeout: seconds an answer may take.

    Raises:
        ConfigError: that is no URL of a broker.
    """
    try:
        tls_context(url)  # now rather than at each connection
        return Redis.from_pool(_pool(url, timeout))
    except OSError as error:
        raise ConfigError(f"REDIS_URL names certificates that cannot be used: {error}") from None
    except ValueError as error:
        raise invalid("REDIS_URL", url, error) from None


def _pool(url: str, timeout: float) -> BlockingConnectionPool:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, 2.0),
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    pool.connection_class = _with_transient_errors(pool.connection_class)
    return pool


def _with_transient_errors(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """A kind of connection that calls the server's own trouble by its name: it passes.

    uvloop raises RuntimeError for a write to a connection that was reset meanwhile, where asyncio
    says nothing and lets the next read fail. redis-py takes most answers of a server that cannot
    serve for errors in what was asked.
    """

    class Connection(kind):  # type: ignore[misc, valid-type]
        async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base class has them
            try:
                await super().send_packed_command(*args, **kwargs)
            except RuntimeError as error:
                raise RedisConnectionError(str(error)) from error

        async def read_response(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base class has them
            try:
                return await super().read_response(*args, **kwargs)
            except (ClusterDownError, TryAgainError) as error:
                raise RedisConnectionError(str(error)) from error
            except ResponseError as error:
                # Errors that a script passes on have a dash in front on some servers.
                if str(error).lstrip("-").startswith(TRANSIENT_ERROR_PREFIXES):
                    raise RedisConnectionError(str(error)) from error
                raise

    return Connection


@contextmanager
def unavailable_as_error() -> Iterator[None]:
    """Turn a failure of the broker into the error a client is told.

    Raises:
        ChatError: `broker_unavailable`.
    """
    try:
        yield
    except UNAVAILABLE as error:
        raise broker_unavailable() from error


class Script:
    """One Lua script, called by its digest and loaded again when the server lost it."""

    def __init__(self, client: Client, name: str) -> None:
        self._script = client.register_script(source(name))

    async def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:  # noqa: ANN401 - each script answers differently
        """Run it; the answer is as the script's own first lines say, strings as bytes."""
        return await self._script(keys=keys, args=args)
