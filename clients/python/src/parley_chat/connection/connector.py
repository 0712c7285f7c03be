"""Attempts to connect: to each server in turn, with growing pauses between them."""

import asyncio
import logging
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_never
from tenacity.stop import StopBaseT
from tenacity.wait import wait_random_exponential
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import process_exception
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from parley_chat.connection.address import is_loopback, websocket_url
from parley_chat.connection.credentials import Credentials
from parley_chat.errors import Refused, Unreachable

MAX_SERVER_FRAME_BYTES = 2**26
"""Bytes of a server's frame: a page of 1,000 messages of the greatest length."""

STABLE_SECONDS = 5.0
"""Seconds after which a connection counts as a success, and pauses are short again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """Timing of attempts to connect, and of connections; times in seconds.

    Attributes:
        first_attempts: Attempts at the first connection, before `connect` fails.
        pause: Upper bound of the first random pause; it doubles with each further attempt.
        max_pause: Upper bound of every pause.
        open_timeout: Time for one attempt.
        ping_interval: Time between two pings, and time for the answer to one.
    """

    first_attempts: int = 5
    pause: float = 0.25
    max_pause: float = 10.0
    open_timeout: float = 5.0
    ping_interval: float = 10.0


class Connector:
    """Opens the connections of a client.

    Attributes:
        username: Name that is sent with each connection.
        credentials: Tokens for the server, if it wants any.
        url: Server of the last attempt.
    """

    def __init__(self, urls: Sequence[str], subprotocol: str, policy: ConnectionPolicy) -> None:
        """Make a connector that has no connection yet.

        Args:
            urls: Servers, as `websocket_url` takes them; each attempt goes to the next.
            subprotocol: WebSocket subprotocol that names the wire format.
            policy: Number and timing of the attempts.

        Raises:
            ValueError: a URL is not valid, or there is none.
        """
        if not urls:
            raise ValueError("no address was given")
        self.username: str | None = None
        self.credentials: Credentials | None = None
        self.url = websocket_url(urls[0])
        self._urls = cycle([websocket_url(url) for url in urls])
        self._subprotocol = Subprotocol(subprotocol)
        self._policy = policy
        self._short_lived = 0
        self._return_at: float | None = None

    async def first(self) -> ClientConnection:
        """Open the first connection.

        Raises:
            Unreachable: no server answered in `first_attempts` attempts.
            Refused: a server answered, and refused this client for good.
        """
        return await self._open(stop_after_attempt(self._policy.first_attempts))

    def return_in(self, seconds: float) -> None:
        """Open the next connection after so many seconds, as the server assigned."""
        self._return_at = asyncio.get_running_loop().time() + seconds

    async def again(self, lasted: float) -> ClientConnection:
        """Open another connection, however many attempts it takes.

        Args:
            lasted: Seconds that the previous connection lasted.

        Raises:
            Refused: a server answered, and refused this client for good.
        """
        self._short_lived = self._short_lived + 1 if lasted < STABLE_SECONDS else 0
        longest = min(self._policy.max_pause, self._policy.pause * 2**self._short_lived)
        jitter = random.uniform(0, longest)  # noqa: S311 - spreads clients, hides nothing
        at, self._return_at = self._return_at, None
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(jitter if at is None else max(0.0, at - now))
        return await self._open(stop_never)

    async def _open(self, stop: StopBaseT) -> ClientConnection:
        policy = self._policy
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_passing),
            wait=wait_random_exponential(multiplier=2 * policy.pause, max=policy.max_pause),
            stop=stop,
            reraise=True,
        )
        try:
            return await retrying(self._try_next)
        except Unreachable:  # its text says why already
            raise
        except InvalidHandshake as error:
            kind = Unreachable if _is_passing(error) else Refused
            raise kind(f"{self.url} refuses the connection: {error}") from error
        except OSError as error:
            raise Unreachable(f"{self.url} cannot be reached: {_reason(error)}") from error

    async def _try_next(self) -> ClientConnection:
        self.url = url = next(self._urls)
        named = {"username": self.username} if self.username else {}
        try:
            if self.credentials is not None:
                await self.credentials.fetch()
            return await connect(
                websocket_url(url, welcome="1", **named),
                subprotocols=[self._subprotocol],
                compression=None,
                proxy=None if is_loopback(url) else True,
                open_timeout=self._policy.open_timeout,
                ping_interval=self._policy.ping_interval,
                ping_timeout=self._policy.ping_interval,
                close_timeout=2,
                max_size=MAX_SERVER_FRAME_BYTES,
            )
        except (OSError, InvalidHandshake) as error:
            log.info("%s: %s", url, _reason(error))
            raise


def _is_passing(error: BaseException) -> bool:
    if (
        isinstance(error, InvalidStatus)
        and error.response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    ):
        return True
    return isinstance(error, Exception) and process_exception(error) is None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) and error.errno is None:
        return "no answer in time"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
