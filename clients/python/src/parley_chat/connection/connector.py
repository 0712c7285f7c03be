"""Opening connections: the servers in turn, with growing pauses between the attempts."""

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

MOST_FRAME = 2**26
"""Bytes of a server's frame: a page of 1,000 messages of the greatest length allowed."""

STABLE_AFTER = 5.0
"""Seconds that a connection lasts to count as a success."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How to go about connections; times in seconds.

    Attributes:
        first_tries: attempts for the first connection.
        pause: the first pause is between 0 and this, each further one up to twice as long.
        longest_pause: no pause is longer.
        open_timeout: for one attempt.
        ping_every: a ping that is not answered in this time, too, ends the connection.
    """

    first_tries: int = 5
    pause: float = 0.25
    longest_pause: float = 10.0
    open_timeout: float = 5.0
    ping_every: float = 10.0


class Connector:
    """Opens one connection after the other."""

    def __init__(self, urls: Sequence[str], subprotocol: str, pace: Pace) -> None:
        """Prepare.

        Args:
            urls: of the servers, as `websocket_url` takes them; each attempt goes to the next.
            subprotocol: to speak.
            pace: of the attempts.

        Raises:
            ValueError: a URL is none, or there is none.
        """
        if not urls:
            raise ValueError("there is no address to connect to")
        self.username: str | None = None
        self.credentials: Credentials | None = None
        self.url = websocket_url(urls[0])
        self._urls = cycle([websocket_url(url) for url in urls])
        self._subprotocol = Subprotocol(subprotocol)
        self._pace = pace
        self._short_lived = 0

    async def first(self) -> ClientConnection:
        """Open the first connection.

        Raises:
            Unreachable: no server answered in `first_tries` attempts.
            Refused: one did, and does not want this client.
        """
        return await self._open(stop_after_attempt(self._pace.first_tries))

    async def again(self, lasted: float, after: float | None = None) -> ClientConnection:
        """Open another connection, however long it takes.

        Args:
            lasted: how long the last one lasted, in seconds.
            after: how long the server asked to wait, in seconds.

        Raises:
            Refused: a server answered and does not want this client.
        """
        self._short_lived = self._short_lived + 1 if lasted < STABLE_AFTER else 0
        longest = min(self._pace.longest_pause, self._pace.pause * 2**self._short_lived)
        jitter = random.uniform(0, longest)  # noqa: S311 - spreads clients, hides nothing
        await asyncio.sleep(jitter if after is None else after)
        return await self._open(stop_never)

    async def _open(self, stop: StopBaseT) -> ClientConnection:
        pace = self._pace
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_passing),
            wait=wait_random_exponential(multiplier=2 * pace.pause, max=pace.longest_pause),
            stop=stop,
            reraise=True,
        )
        try:
            return await retrying(self._try_next)
        except Unreachable:  # it says why already
            raise
        except InvalidHandshake as error:
            kind = Unreachable if _is_passing(error) else Refused
            raise kind(f"{self.url} does not take the connection: {error}") from error
        except OSError as error:
            raise Unreachable(f"{self.url} cannot be reached: {_reason(error)}") from error

    async def _try_next(self) -> ClientConnection:
        self.url = url = next(self._urls)
        try:
            if self.credentials is not None:
                await self.credentials.fetch()
            return await connect(
                websocket_url(url, self.username) if self.username else url,
                subprotocols=[self._subprotocol],
                compression=None,
                proxy=None if is_loopback(url) else True,
                open_timeout=self._pace.open_timeout,
                ping_interval=self._pace.ping_every,
                ping_timeout=self._pace.ping_every,
                close_timeout=2,
                max_size=MOST_FRAME,
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
