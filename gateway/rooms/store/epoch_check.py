"""Reads the partitions' epochs from SQL, to notice a broker server that a failover left behind.

A gateway that is still connected to the old server learns nothing of a new epoch there: the old
server gives consistent answers that are out of date. The owner of a partition raises the epoch in
SQL before it opens the partition on the new server. So a gateway that reads SQL after a request
began, and finds no later epoch, knows that the broker's answer was up to date at that moment.
"""

import asyncio
from typing import Final

from shared.broker.partitions.fence import Fence
from shared.errors import ChatError
from shared.storage.reader import Reader

SQL_TIMEOUT_SECONDS: Final = 1.0
"""Seconds that SQL may take; after that the answer is unknown."""

SQL_RETRY_SECONDS: Final = 1.0
"""Seconds for which requests do not wait for SQL after it did not answer."""


class EpochCheck:
    """Puts the epochs that SQL has into the fence, with one query at a time for all requests."""

    def __init__(self, reader: Reader, fence: Fence) -> None:
        self._reader = reader
        self._fence = fence
        self._query: asyncio.Task[bool] | None = None
        # A request that arrives during a query waits for the next one, not for the running one.
        # Example: the query reads epoch 3, then the owner raises it to 4, then a request arrives.
        # The running query would tell it that 3 is current, and a page that lacks what was
        # accepted in epoch 4 would not say `partial`.
        self._next_query: asyncio.Task[bool] | None = None
        self._retry_at = 0.0

    async def confirm(self) -> bool:
        """Read the epochs as SQL has them from now on; return False where SQL does not answer."""
        if asyncio.get_running_loop().time() < self._retry_at:
            return False
        return await asyncio.shield(self._query_from_now())

    def _query_from_now(self) -> "asyncio.Task[bool]":
        if self._query is None or self._query.done():
            self._query, self._next_query = asyncio.create_task(self._read()), None
            return self._query
        if self._next_query is None or self._next_query.done():
            self._next_query = asyncio.create_task(self._read_after(self._query))
        return self._next_query

    async def _read_after(self, running: "asyncio.Task[bool]") -> bool:
        await asyncio.wait([running])
        self._query, self._next_query = self._next_query, None
        return await self._read()

    async def _read(self) -> bool:
        try:
            async with asyncio.timeout(SQL_TIMEOUT_SECONDS):
                found = await self._reader.epochs()
        except (ChatError, TimeoutError):
            self._retry_at = asyncio.get_running_loop().time() + SQL_RETRY_SECONDS
            return False
        for number, epoch in found:
            self._fence.note_epoch(number, epoch)
        return True
