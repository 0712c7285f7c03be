"""The client for commands and scripts, and the errors that its failures are for chat clients."""

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
from shared.broker.transport.url import check_broker_url
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
"""Error prefixes of transient server failures."""

MAX_CONNECTIONS = 32
"""Connections of one client. When all are busy, callers wait instead of opening more."""

Client = Redis
Failure = RedisError
"""The base class of the errors that the broker's client raises."""

UNAVAILABLE = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OutOfMemoryError,
    OSError,
)
"""Failures of the broker, as opposed to errors in a command."""


def connect(url: str, *, timeout: float = 5.0) -> Client:
    """Make a client with a pool of connections; it connects when first used.

    It never repeats a command by itself: a write whose answer was lost would be done twice.

    Args:
        url: redis://, rediss:// or unix://.
        timeout: seconds to wait for an answer.

    Raises:
        ConfigError: the URL is not one of a broker.
    """
    check_broker_url(url)
    return Redis.from_pool(_pool(url, timeout))


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
    """Make a connection class that raises ConnectionError for every transient failure.

    uvloop raises RuntimeError for a write to a connection that was reset, where asyncio lets the
    next read fail. redis-py raises ResponseError for most answers of a server that cannot serve at
    the moment, as for a wrong command.
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
    """Turn a failure of the broker into the error that a client gets.

    Raises:
        ChatError: `broker_unavailable`.
    """
    try:
        yield
    except UNAVAILABLE as error:
        raise broker_unavailable() from error


class Script:
    """A Lua script, called by its digest and loaded again if the server does not know it."""

    def __init__(self, client: Client, name: str) -> None:
        self._script = client.register_script(source(name))

    async def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:  # noqa: ANN401 - each script answers differently
        """Run the script. Its first comment describes the answer; strings come as bytes."""
        return await self._script(keys=keys, args=args)
