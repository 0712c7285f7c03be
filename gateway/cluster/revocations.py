"""The watch over revocations: it reads new ones, and ends the connections that they end.

A notice through the broker would be faster by a fraction of a second and could be lost, so SQL is
asked again and again: a query by the number of the last revocation costs hardly anything. The
broker is asked for disconnections that gateways were told of, as gateways do not write to SQL.
"""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from gateway.access.revocations import Revocations
from gateway.connections.deadlines import CLOSE_TIMEOUT_SECONDS, close_unidentified
from gateway.recovery.store import SessionStore
from gateway.rooms.client import Client
from gateway.rooms.fan_out import FanOut
from shared.broker.sessions.disconnections import DisconnectionBroker
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.revocations import Revocation
from shared.protocol.closes import CloseCode
from shared.storage.revocations import PAGE_ROWS, RevocationReader
from shared.telemetry import OutageLog, logger

READ_INTERVAL_SECONDS: Final = 0.5
"""Seconds between two reads."""

READ_TIMEOUT_SECONDS: Final = 5.0
"""Seconds after which a read of a page that hangs is given up and tried again."""

FORGET_SECONDS: Final = 60.0
"""Seconds between two looks for revocations that are over, which go through all that are known."""

log = logger(__name__)


class RevocationWatch:
    """Keeps `Revocations` up to date, and ends connections.

    Attributes:
        disconnections: tells all gateways to end the connections of a user.
        tasks: read SQL and the broker periodically, each for itself: a broker that hangs must not
            hold up what SQL says. One more forgets what is over.
    """

    def __init__(
        self,
        reader: RevocationReader,
        disconnections: DisconnectionBroker,
        revocations: Revocations,
        fan_out: FanOut,
        sessions: SessionStore,
    ) -> None:
        self.disconnections = disconnections
        self._reader = reader
        self._revocations = revocations
        self._fan_out = fan_out
        self._sessions = sessions
        self._started_at = time.time() * 1000
        self._newest: str | None = None  # of the disconnections; None before the first read
        self._outage = OutageLog(log, "cannot read revocations", "revocations are read again")
        self.tasks = (
            PeriodicTask(self._read, READ_INTERVAL_SECONDS, "revocations", at_once=True),
            PeriodicTask(
                self._read_disconnections, READ_INTERVAL_SECONDS, "disconnections", at_once=True
            ),
            PeriodicTask(revocations.forget_ended, FORGET_SECONDS, "ended revocations"),
        )

    def recheck(self, client: Client) -> None:
        """End a client, if its token is revoked: also one that has just been let in."""
        if client.bearer is not None and self._revocations.revokes(client.bearer):
            self._end_revoked(client)

    async def _read_disconnections(self) -> None:
        # While the broker is away, others say so.
        with suppress(ChatError):
            if self._newest is None:
                self._newest = await self.disconnections.newest()
            found = await self.disconnections.after(self._newest)
            if found:
                self._newest = found[-1][0]
                self._disconnect({user for _, user in found})

    async def _read(self) -> None:
        try:
            found = await self._read_new()
        except (ChatError, TimeoutError) as error:
            self._outage.failed(error)
            return
        self._outage.succeeded()
        first = not self._revocations.complete
        if news := self._revocations.learn(found):
            self._act(news, first=first)

    async def _read_new(self) -> list[Revocation]:
        """Read from the newest known one on, or all where SQL does not have that one any more.

        It was changed since, or a backup was put back that has other revocations under the same
        numbers. What this gateway knows and the backup does not holds on.
        """
        last = self._revocations.last
        found = await self._from_number(last.number if last else 0)
        if last is not None and (not found or found[0] != last):
            found = await self._from_number(0)
        page = found
        while len(page) == PAGE_ROWS:
            page = await self._from_number(page[-1].number + 1)
            found += page
        return found

    async def _from_number(self, number: int) -> list[Revocation]:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            return await self._reader.from_number(number)

    def _act(self, news: list[Revocation], *, first: bool) -> None:
        """End the connections that new revocations concern.

        Args:
            news: what was read, and not known.
            first: True for the first read: who was disconnected before this gateway started, and
                has come back since, may stay.
        """
        since = self._started_at if first else 0
        disconnected = {
            each.subject for each in news if each.kind == "disconnect" and each.at >= since
        }
        for client in list(self._fan_out.clients):
            self.recheck(client)
        self._disconnect(disconnected)
        log.info("revocations read", count=len(news))

    def _disconnect(self, users: Collection[str]) -> None:
        """End the connections of users, who may come back."""
        for client in list(self._fan_out.clients):
            if client.display_name in users:
                client.connection.end(CloseCode.GOING_AWAY)
                client.connection.abort_in(CLOSE_TIMEOUT_SECONDS)

    def _end_revoked(self, client: Client) -> None:
        self._sessions.drop(client, forget=True, left=False)
        close_unidentified(client.connection, CloseCode.UNAUTHORIZED, "the token was revoked")
