"""Asks SQL whether a later epoch has begun than the broker's server knows.

Who is connected to a server that a failover left behind hears nothing of the new epoch there: what
that server says is right, and out of date. The owner raises the epoch in SQL before it opens a
partition elsewhere, so whoever asks SQL after it was asked for something, and finds no later epoch,
has got it from a server that has all there was.
"""

import asyncio
from typing import Final

from shared.broker.partitions.fence import Fence
from shared.errors import ChatError
from shared.storage.reader import Reader

SQL_TIMEOUT_SECONDS: Final = 1.0
"""Seconds that SQL may take; then nobody can say."""

SQL_RETRY_SECONDS: Final = 1.0
"""Seconds for which nobody waits for SQL after it gave no answer."""


class EpochCheck:
    """Brings the epochs of SQL to what this gateway has seen; one question at a time for all."""

    def __init__(self, reader: Reader, fence: Fence) -> None:
        self._reader = reader
        self._fence = fence
        self._asking: asyncio.Task[bool] | None = None
        # The question that those wait for who came after the one under way was asked.
        self._next: asyncio.Task[bool] | None = None
        self._away_until = 0.0

    async def confirm(self) -> bool:
        """Learn the epochs as SQL has them from now on; False where SQL does not answer."""
        if asyncio.get_running_loop().time() < self._away_until:
            return False
        return await asyncio.shield(self._question())

    def _question(self) -> "asyncio.Task[bool]":
        if self._asking is None or self._asking.done():
            self._asking, self._next = asyncio.create_task(self._ask()), None
            return self._asking
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._ask_after(self._asking))
        return self._next

    async def _ask_after(self, before: "asyncio.Task[bool]") -> bool:
        await asyncio.wait([before])
        self._asking, self._next = self._next, None
        return await self._ask()

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(SQL_TIMEOUT_SECONDS):
                found = await self._reader.epochs()
        except (ChatError, TimeoutError):
            self._away_until = asyncio.get_running_loop().time() + SQL_RETRY_SECONDS
            return False
        for number, epoch in found:
            self._fence.saw_epoch(number, epoch)
        return True
