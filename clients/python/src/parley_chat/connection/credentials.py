"""Tokens that say who a client is: fetched for each connection, and again before they expire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError, Unreachable

TokenSource: TypeAlias = str | Callable[[], Awaitable[str]]
"""A token, or what fetches a fresh one."""

LONGEST_LEAD: Final = 60.0
"""Seconds before its end that a token is followed by another, at the most."""

TRY_EVERY: Final = 1.0
"""Seconds between two attempts to get a token, or to have it taken."""

log = logging.getLogger(__name__)


class Credentials:
    """Where tokens come from.

    Attributes:
        token: the last one.
        renewable: whether a fresh one can be fetched.
        accepted: whether the server has accepted one on the present connection.
        refusal: the server's reason for not accepting one.
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
        """Get a token.

        Raises:
            Unreachable: there is none now.
        """
        if isinstance(self._source, str):
            self.token = self._source
            return
        try:
            self.token = await self._source()
        except Exception as error:
            raise Unreachable(f"no token can be had: {type(error).__name__}") from error

    async def keep_showing(
        self, show: Callable[[str], Awaitable[Data]], accepted: Callable[[str], None]
    ) -> None:
        """Show the token on a connection, and a fresh one before each expires.

        Args:
            show: shows a token to the server; the data of its reply.
            accepted: called with the user's name once the server has accepted a token.
        """
        while True:
            try:
                reply = await show(self.token)
            except ChatError as error:
                if not error.retryable:
                    # The server ends the connection, or lets it last as long as the last token.
                    self.refusal = error.message
                    log.warning("the token was not taken: %s", error.message)
                    return
                await asyncio.sleep(TRY_EVERY)
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
                await asyncio.sleep(TRY_EVERY)
            else:
                return


def _pause(lasts: float) -> float:
    """How long to wait before fetching another token, in seconds."""
    return max(TRY_EVERY, lasts - min(LONGEST_LEAD, lasts / 2))
