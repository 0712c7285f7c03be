"""Tokens that prove who a user is: fetched for each connection, and before the last expires."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from parley_chat.connection.wire import Data
from parley_chat.constants import FINAL_CLOSE_CODES, NEW_TOKEN_CLOSE_CODES, TOKEN_CLOSE_CODES
from parley_chat.errors import ChatError, Unreachable

TokenSource: TypeAlias = str | Callable[[], Awaitable[str]]
"""A token, or an async function that fetches a fresh one."""

MAX_RENEWAL_LEAD_SECONDS: Final = 60.0
"""Longest time before its end at which a token is renewed."""

RETRY_INTERVAL_SECONDS: Final = 1.0
"""Pause between two attempts to fetch a token, or to have it accepted."""

log = logging.getLogger(__name__)


class Credentials:
    """Tokens of a client, and where it stands with them.

    Attributes:
        token: The last one fetched.
        renewable: Whether the client is able to fetch a fresh one.
        accepted: Whether the server has accepted one on the present connection.
        refusal: The server's reason for not accepting the last one.
    """

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self.renewable = not isinstance(source, str)
        self.token = ""
        self.accepted = False
        self.refusal = "the connection ended"
        self._retried = False

    def connection_lost(self) -> None:
        """Take note that the next connection has to show a token again."""
        self.accepted = False

    def retry(self) -> bool:
        """Return whether to connect again after the server closed for want of a valid token.

        A fresh token is tried once: where the server does not accept that one either, as when the
        clocks differ or the user is locked out, every further connection would end the same way.
        """
        retried, self._retried = self._retried, True
        return self.renewable and not retried

    async def fetch(self) -> None:
        """Fetch a token.

        Raises:
            Unreachable: the application could not give one now.
        """
        if isinstance(self._source, str):
            self.token = self._source
            return
        try:
            self.token = await self._source()
        except Exception as error:
            raise Unreachable(f"no token could be fetched: {type(error).__name__}") from error

    async def keep_showing(
        self, show: Callable[[str], Awaitable[Data]], accepted: Callable[[str], None]
    ) -> None:
        """Show the token on a connection, and a fresh one before each expires.

        Args:
            show: Shows a token to the server, and returns the data of its reply.
            accepted: Called with the user's name once the server has accepted a token.
        """
        while True:
            try:
                reply = await show(self.token)
            except ChatError as error:
                if not error.retryable:
                    # The server closes the connection now, or when the last accepted token expires.
                    self.refusal = error.message
                    log.warning("the token was not accepted: %s", error.message)
                    return
                await asyncio.sleep(RETRY_INTERVAL_SECONDS)
                continue
            self._retried = False
            if not self.accepted:
                self.accepted = True
                accepted(reply["user"])
            if not self.renewable:
                return
            await asyncio.sleep(_pause(reply["expiresIn"]))
            await self._renew()

    async def _renew(self) -> None:
        while True:
            try:
                await self.fetch()
            except Unreachable as error:
                log.warning("%s", error)
                await asyncio.sleep(RETRY_INTERVAL_SECONDS)
            else:
                return


def is_final(close_code: int | None, credentials: Credentials | None) -> bool:
    """Return whether another connection would end in the same way as this one did."""
    if close_code in TOKEN_CLOSE_CODES:
        return credentials is None
    if close_code in NEW_TOKEN_CLOSE_CODES:
        return credentials is None or not credentials.retry()
    return close_code in FINAL_CLOSE_CODES


def _pause(lasts: float) -> float:
    """Return the seconds until a token that is valid for `lasts` seconds has to be renewed."""
    return max(RETRY_INTERVAL_SECONDS, lasts - min(MAX_RENEWAL_LEAD_SECONDS, lasts / 2))
