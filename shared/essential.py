"""Tasks that a process cannot do without: any such work, and work that is done periodically."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from shared.telemetry import logger

CANCEL_RETRY_SECONDS: Final = 0.01
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
            await asyncio.wait([self._task], timeout=CANCEL_RETRY_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("essential task ended", task=task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


class PeriodicTask:
    """Work that an essential task does again and again, from `start` to `close`."""

    def __init__(
        self,
        work: Callable[[], Awaitable[None] | None],
        pause: float | Callable[[], float],
        name: str,
        *,
        at_once: bool = False,
        at_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            work: what is done, a function or a coroutine function. An error that it raises ends
                the process, as the end of any essential task does.
            pause: seconds between the end of one run and the next, or what says how many.
            name: the task's.
            at_once: whether the first run comes at the start, and not after a pause.
            at_close: awaited at the close, when the task has ended.
        """
        self._work = work
        self._pause = pause
        self._name = name
        self._at_once = at_once
        self._at_close = at_close
        self._task: EssentialTask | None = None

    def start(self) -> None:
        """Begin."""
        self._task = EssentialTask(self._run(), self._name)

    async def close(self) -> None:
        """End, wait until the task has, and do what is left for then."""
        if self._task is not None:
            await self._task.close()
        if self._at_close is not None:
            await self._at_close()

    async def _run(self) -> None:
        if not self._at_once:
            await self._pause_once()
        while True:
            doing = self._work()
            if doing is not None:
                await doing
            await self._pause_once()

    async def _pause_once(self) -> None:
        await asyncio.sleep(self._pause() if callable(self._pause) else self._pause)
