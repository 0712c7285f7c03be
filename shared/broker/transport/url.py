"""The address of the broker, checked before anything connects."""

from typing import Final
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import ConnectionPool, parse_url
from redis.exceptions import RedisError

from shared.broker.transport.resp import tls_context
from shared.config import ConfigError
from shared.config.urls import check_password, scheme_of

SCHEMES: Final = ("redis", "rediss", "unix")

MAX_SOCKET_PATH_BYTES: Final = 107
"""Bytes in the path of a Unix socket, on Linux."""


def check_broker_url(url: str) -> None:
    """Check that a URL is one of a broker, before the first connection finds out.

    Args:
        url: redis://, rediss:// or unix://.

    Raises:
        ConfigError: it is not, or names certificates that cannot be used.
    """
    scheme = scheme_of(url)
    if scheme not in SCHEMES or not url.startswith(scheme):
        raise ConfigError(
            "REDIS_URL is not valid: it must begin with redis://, rediss:// (TLS) or unix://"
        )
    if scheme != "unix":
        check_password("REDIS_URL", url)
    try:
        options = parse_url(url)
    except ValueError:  # its text may quote a password
        raise ConfigError(
            "REDIS_URL is not valid: it must be like redis://user:password@host:6379/0"
        ) from None
    if scheme == "unix":
        _check_socket(str(options.get("path", "")))
    else:
        _check_database(url)
    try:
        tls_context(url)  # now rather than at each connection
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)
    except OSError as error:
        raise ConfigError(f"REDIS_URL names certificates that cannot be used: {error}") from None
    except (TypeError, RedisError, ValueError) as error:
        reason = str(error).rpartition("got an unexpected ")[2]  # of a long text of Python's
        raise ConfigError(f"REDIS_URL has an option that cannot be used: {reason}") from None


def _check_socket(path: str) -> None:
    size = len(path.encode(errors="surrogateescape"))
    if not 0 < size <= MAX_SOCKET_PATH_BYTES:
        raise ConfigError(
            f"REDIS_URL is not valid: its path has {size} bytes, and that of a Unix socket has 1 to"
            f" {MAX_SOCKET_PATH_BYTES}"
        )


def _check_database(url: str) -> None:
    number = unquote(urlsplit(url).path).removeprefix("/").removesuffix("/")
    if number and not (number.isascii() and number.isdigit()):
        raise ConfigError(
            "REDIS_URL is not valid: behind the host comes the number of a database, as in"
            " redis://host:6379/0, and nothing else"
        )
