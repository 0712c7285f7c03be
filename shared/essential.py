"""Background tasks without which a process must not go on, single or periodic."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from shared.telemetry import logger

CANCEL_RETRY_SECONDS: Final = 0.01
"""Seconds after which a task that did not end is cancelled again."""

log = logger(__name__)


class EssentialTask:
    """A background task that may end by `close` only.

    If it ends by itself, the process gets SIGTERM, drains, and its supervisor starts a new one. A
    process that went on without one of its tasks would look healthy and not work.
    """

    def __init__(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._task = asyncio.create_task(work, name=name)
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel the task, and wait until it has ended.

        On Python 3.11 `asyncio.wait_for`, which the broker's client uses, loses a cancellation
        that comes just as its work ends. So the task is cancelled until it has ended.
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
    """Work that an essential task repeats from `start` to `close`."""

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
            work: a function or a coroutine function. An error that it raises ends the process, as
                the end of any essential task does.
            pause: seconds between the end of a run and the next run, or a function that returns
                them.
            name: the name of the task, for log lines.
            at_once: True to begin with a run, False to begin with a pause.
            at_close: awaited by `close`, after the task has ended.
        """
        self._work = work
        self._pause = pause
        self._name = name
        self._at_once = at_once
        self._at_close = at_close
        self._task: EssentialTask | None = None

    def start(self) -> None:
        """Start the task."""
        self._task = EssentialTask(self._run(), self._name)

    async def close(self) -> None:
        """End the task, then await `at_close`."""
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
