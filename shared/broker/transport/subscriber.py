"""Subscriptions to sharded channels, over one connection, with a reference count for each channel.

Every delivered message passes here, so the pushes of one read are parsed in C and passed on one
after the other, without a task for each. A lost connection is made again. Every new subscription
is reported to the caller, who must read what was published while there was none.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import hiredis
from tenacity import AsyncRetrying, RetryCallState, wait_exponential_jitter

from shared.broker.transport.resp import RespConnection, open_connection, pack
from shared.essential import EssentialTask
from shared.telemetry import OutageLog, logger

PING_INTERVAL_SECONDS: Final = 1.0
MAX_SILENCE_SECONDS: Final = 3.0
"""Seconds without an answer to a PING after which a connection counts as lost."""

PING: Final = pack("PING")

log = logger(__name__)

OnMessage = Callable[[str, bytes], object]
OnSubscribed = Callable[[str], None]


class Subscriber:
    """Subscribes to channels for as long as callers need them."""

    def __init__(self, url: str, on_message: OnMessage, on_subscribed: OnSubscribed) -> None:
        """Prepare; nothing connects before `start`.

        Args:
            url: the broker's URL, as for the client.
            on_message: called with channel and data of each message, in order.
            on_subscribed: called with the channel when the server confirms a subscription: the
                first one, and each one after a reconnect.
        """
        self._url = url
        self._on_message = on_message
        self._on_subscribed = on_subscribed
        self._holders: dict[str, int] = {}
        # Requests to unsubscribe that the server has not confirmed yet, by channel.
        self._leaving: Counter[str] = Counter()
        self._connection: RespConnection | None = None
        self._runner: EssentialTask | None = None
        self._outage = OutageLog(log, "subscriber lost the broker", "subscriber is back")

    @property
    def connected(self) -> bool:
        """True while there is a connection."""
        return self._connection is not None

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._runner = EssentialTask(self._run(), "subscriber")

    async def close(self) -> None:
        """Drop the connection and every channel."""
        if self._runner is not None:
            await self._runner.close()

    def renew(self) -> None:
        """Drop the connection to a server that a failover left behind, and subscribe again."""
        if self._connection is not None:
            self._connection.end(ConnectionError("the server was left behind by a failover"))

    def subscribe(self, channel: str) -> None:
        """Add a reference to `channel`; the first one subscribes."""
        self._holders[channel] = self._holders.get(channel, 0) + 1
        if self._holders[channel] == 1 and self._connection is not None:
            self._connection.write(pack("SSUBSCRIBE", channel))

    def unsubscribe(self, channel: str) -> None:
        """Remove a reference to `channel`; the last one unsubscribes."""
        self._holders[channel] -= 1
        if not self._holders[channel]:
            del self._holders[channel]
            if self._connection is not None:
                self._leaving[channel] += 1
                self._connection.write(pack("SUNSUBSCRIBE", channel))

    async def _run(self) -> None:
        async for attempt in AsyncRetrying(
            wait=wait_exponential_jitter(multiplier=0.1, max=1.0), after=self._log_lost
        ):
            with attempt:
                # A lost connection raises, so that there is always another attempt.
                await self._serve_connection(attempt.retry_state)

    async def _serve_connection(self, state: RetryCallState) -> None:
        self._leaving.clear()
        connection = await open_connection(self._url, self._on_push)
        state.attempt_number = 1
        self._outage.succeeded()
        try:
            for channel in self._holders:
                connection.write(pack("SSUBSCRIBE", channel))
            self._connection = connection
            await _ping_until_ended(connection)
        finally:
            self._connection = None
            connection.end(ConnectionError("closed"))

    def _log_lost(self, state: RetryCallState) -> None:
        self._outage.failed(state.outcome.exception() if state.outcome else None)

    def _on_push(self, push: Any) -> None:  # noqa: ANN401 - whatever the server sends
        if isinstance(push, hiredis.ReplyError):
            raise ConnectionError(str(push))
        if not isinstance(push, list):
            return  # PONG, or OK to AUTH
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
            self._leaving[channel] -= 1  # requested; the channel may be subscribed again since
            if not self._leaving[channel]:
                del self._leaving[channel]
        else:
            # The server moved the slot to another one: connect again, to where it is now.
            raise ConnectionError("the server ended a subscription")


async def _ping_until_ended(connection: RespConnection) -> None:
    """Ping until the connection ends; raise the reason for its end."""
    loop = asyncio.get_running_loop()
    while True:
        connection.write(PING)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(connection.ended), PING_INTERVAL_SECONDS)
        if loop.time() - connection.received_at > MAX_SILENCE_SECONDS:
            raise ConnectionError("the broker does not answer")
