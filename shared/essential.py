"""Tasks that a process cannot do without."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from shared.telemetry import logger

log = logger(__name__)


class EssentialTask:
    """A background task that should only end by `close`.

    Should it end by itself, the process is told to stop as an operator would tell it, so that it
    drains and whoever supervises it starts a whole one: better than one that goes on half alive.
    """

    def __init__(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._task = asyncio.create_task(work, name=name)
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """End it, and wait until it has."""
        self._task.remove_done_callback(self._ended)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("essential task ended", task=task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
