"""Tasks that a process cannot do without."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final

from shared.telemetry import logger

ASK_AGAIN: Final = 0.01
"""Seconds after which a task that did not end is cancelled once more."""

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
        """End it, and wait until it has.

        On Python 3.11 `asyncio.wait_for`, which the broker's client uses, loses a cancellation
        that comes just as its work ends: so it is asked until it has heard.
        """
        self._task.remove_done_callback(self._ended)
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=ASK_AGAIN)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("essential task ended", task=task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
