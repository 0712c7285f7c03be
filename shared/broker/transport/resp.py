"""A connection to the broker whose replies hiredis parses in C, without a task for each reply."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url

CONNECT_TIMEOUT_SECONDS: Final = 2.0

_INCOMPLETE: Final = object()

Word = str | bytes | int


class GreetingRefused(ConnectionError):
    """The server answered a command of the greeting with an error, which is the text."""


class RespConnection(asyncio.Protocol):
    """A connection to the broker.

    Attributes:
        ended: a future that gets an exception when the connection ends, for any reason.
        received_at: the time at which bytes came last, by the loop's clock.
    """

    def __init__(self, on_reply: Callable[[Any], None]) -> None:
        """Prepare; `open_connection` connects.

        Args:
            on_reply: takes each reply or push, errors among them. A ConnectionError that it
                raises ends the connection.
        """
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._on_reply = on_reply
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        # Reads the exception, so that asyncio does not warn of one that no task awaited.
        self.ended.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self.received_at = self._loop.time()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection."""
        self.end(exc or ConnectionError("the broker closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Pass on the replies that these bytes complete."""
        self.received_at = self._loop.time()
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._on_reply(reply)
        except (ConnectionError, hiredis.ProtocolError) as error:
            self.end(error)

    async def greet(self, commands: Sequence[bytes]) -> None:
        """Send commands one by one, and wait until all have succeeded.

        Raises:
            ConnectionError: a command failed (`GreetingRefused`), or the connection ended.
        """
        loop, on_reply = self._loop, self._on_reply
        for command in commands:
            reply: asyncio.Future[Any] = loop.create_future()
            self._on_reply = reply.set_result
            self.write(command)
            await asyncio.wait([reply, self.ended], return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                raise ConnectionError("closed without an answer") from self.ended.exception()
            if isinstance(reply.result(), hiredis.ReplyError):
                raise GreetingRefused(str(reply.result()))
        self._on_reply = on_reply

    def write(self, data: bytes) -> None:
        """Send packed commands; does nothing on a connection that is ending."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def end(self, error: Exception) -> None:
        """Drop the connection."""
        if not self.ended.done():
            self.ended.set_exception(error)
        if self._transport is not None:
            self._transport.abort()


def pack(*words: Word) -> bytes:
    """Encode a command for the server (RESP array of bulk strings)."""
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]
    return packed


async def open_connection(url: str, on_reply: Callable[[Any], None]) -> RespConnection:
    """Connect, with the password and the database of the URL.

    Args:
        url: redis://, rediss:// or unix://.
        on_reply: see RespConnection.

    Raises:
        OSError: the server cannot be reached, does not answer in time, refuses the password, or
            still loads its data.
    """
    options = parse_url(url)
    loop = asyncio.get_running_loop()
    connection = RespConnection(on_reply)
    tls = tls_context(url)
    async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
        if path := options.get("path"):
            await loop.create_unix_connection(lambda: connection, path)
        else:
            host, port = options.get("host", "127.0.0.1"), options.get("port", 6379)
            await loop.create_connection(lambda: connection, host, port, ssl=tls)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await connection.greet(_greeting(options))
    except BaseException:
        connection.end(ConnectionError("no greeting"))
        raise
    return connection


def tls_context(url: str) -> ssl.SSLContext | None:
    """The TLS settings of a URL, which has redis-py's options; None for a URL without TLS.

    Raises:
        OSError: a certificate file that the URL names cannot be used.
        ValueError: the URL is not one of a broker.
    """
    options = parse_url(url)
    if options.get("connection_class") is not SSLConnection:
        return None
    tls: dict[str, Any] = {
        name: value for name, value in options.items() if name.startswith("ssl_")
    }
    return SSLConnection(**tls).ssl_context.get()


def _greeting(options: Mapping[str, Any]) -> list[bytes]:
    """The first commands of a new connection."""
    commands = []
    if password := options.get("password"):
        commands.append(pack("AUTH", *filter(None, (options.get("username"), password))))
    if database := int(options.get("db") or 0):
        commands.append(pack("SELECT", database))
    # A server that still loads its data accepts subscriptions, but refuses PING.
    return [*commands, pack("PING")]
