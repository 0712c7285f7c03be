"""Subscribing: sharded channels over one connection, read by hiredis, with a count for each.

This is the hot path of fan-out, so the pushes of one read are parsed in C and handed over one
after the other without a task for each. The connection comes back by itself; every channel that
was subscribed afresh is reported, since what was published meanwhile is lost.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import hiredis
from redis.asyncio.connection import parse_url
from tenacity import AsyncRetrying, RetryCallState, wait_exponential_jitter

from shared.essential import EssentialTask
from shared.telemetry import logger

PING_EVERY: Final = 1.0
SILENT_AFTER: Final = 3.0
"""Seconds without an answer to a PING after which a connection is taken for dead."""

_NOTHING: Final = object()

log = logger(__name__)

OnMessage = Callable[[str, bytes], None]
OnSubscribed = Callable[[str], None]


class Subscriber:
    """Follows channels for as long as somebody holds them."""

    def __init__(self, url: str, on_message: OnMessage, on_subscribed: OnSubscribed) -> None:
        """Prepare; nothing connects before `start`.

        Args:
            url: the broker's, as for the client.
            on_message: called with channel and data of each message, in order.
            on_subscribed: called when the server confirmed a subscription, the first and each
                one after a reconnect.
        """
        self._url = url
        self._on_message = on_message
        self._on_subscribed = on_subscribed
        self._holders: dict[str, int] = {}
        # Subscriptions whose end was asked for and not yet confirmed.
        self._leaving: Counter[str] = Counter()
        self._link: _Link | None = None
        self._runner: EssentialTask | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link is not None

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._runner = EssentialTask(self._run(), "subscriber")

    async def close(self) -> None:
        """Drop the connection and every channel."""
        if self._runner is not None:
            await self._runner.close()

    def hold(self, channel: str) -> None:
        """Follow `channel` once more; the first holder subscribes."""
        self._holders[channel] = self._holders.get(channel, 0) + 1
        if self._holders[channel] == 1 and self._link is not None:
            self._link.command("SSUBSCRIBE", channel)

    def release(self, channel: str) -> None:
        """Undo one `hold`; the last one unsubscribes."""
        self._holders[channel] -= 1
        if not self._holders[channel]:
            del self._holders[channel]
            if self._link is not None:
                self._leaving[channel] += 1
                self._link.command("SUNSUBSCRIBE", channel)

    async def _run(self) -> None:
        async for attempt in AsyncRetrying(
            wait=wait_exponential_jitter(multiplier=0.1, max=1.0), after=_say_why
        ):
            with attempt:
                # A lost connection raises, so that there is always another attempt.
                await self._live(attempt.retry_state)

    async def _live(self, state: RetryCallState) -> None:
        self._leaving.clear()
        link = await _open(self._url, self._on_push)
        state.attempt_number = 1
        try:
            for channel in self._holders:
                link.command("SSUBSCRIBE", channel)
            self._link = link
            await link.stay()
        finally:
            self._link = None
            link.close()

    def _on_push(self, push: list[Any]) -> None:
        kind = push[0]
        if kind == b"smessage":
            self._on_message(push[1].decode(), push[2])
        elif kind == b"ssubscribe":
            channel = push[1].decode()
            if channel in self._holders:
                self._on_subscribed(channel)
        elif kind == b"sunsubscribe":
            self._on_unsubscribed(push[1].decode())

    def _on_unsubscribed(self, channel: str) -> None:
        if self._leaving[channel]:
            self._leaving[channel] -= 1  # as asked; it may be held again since
            if not self._leaving[channel]:
                del self._leaving[channel]
        else:
            # The server moved the slot away: start over where it is now.
            raise ConnectionError("the server ended a subscription")


def _say_why(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("subscriber lost the broker", error=str(error), attempt=state.attempt_number)


async def _open(url: str, on_push: Callable[[list[Any]], None]) -> "_Link":
    options = parse_url(url)
    loop = asyncio.get_running_loop()
    link = _Link(on_push)
    tls = ssl.create_default_context() if url.startswith("rediss:") else None
    async with asyncio.timeout(2.0):
        if path := options.get("path"):
            await loop.create_unix_connection(lambda: link, path)
        else:
            host, port = options.get("host", "127.0.0.1"), options.get("port", 6379)
            await loop.create_connection(lambda: link, host, port, ssl=tls)
    if password := options.get("password"):
        link.command("AUTH", *filter(None, (options.get("username"), password)))
    return link


class _Link(asyncio.Protocol):
    """One connection. It ends with an exception on `stay`, whatever the reason."""

    def __init__(self, on_push: Callable[[list[Any]], None]) -> None:
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._on_push = on_push
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # Nobody may be waiting when it ends: then nobody need hear why.
        self._ended.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._heard = self._loop.time()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the broker closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._reader.feed(data)
        try:
            while (push := self._reader.gets()) is not _NOTHING:
                if isinstance(push, list):
                    self._on_push(push)
                elif isinstance(push, hiredis.ReplyError):
                    self._end(push)
        except (ConnectionError, hiredis.ProtocolError) as error:
            self._end(error)

    def command(self, *words: str) -> None:
        """Send a command; its answer comes as a push.

        On a connection that is ending it does nothing: the next one subscribes to all there is.
        """
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(hiredis.pack_command(words))  # type: ignore[arg-type]

    async def stay(self) -> None:
        """Ping until the connection ends, and raise why it did."""
        while True:
            self.command("PING")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._ended), PING_EVERY)
            if self._loop.time() - self._heard > SILENT_AFTER:
                raise ConnectionError("the broker is silent")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)
