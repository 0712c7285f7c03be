"""Work that is done periodically: when it is done, and what happens if it fails."""

import asyncio
import signal

import pytest

from shared.essential import PeriodicTask
from tests.support.waiting import HANGS_AFTER


class Diary:
    """What a task did, in order; `full` once that is as much as a test wants to see."""

    def __init__(self, most: int) -> None:
        self.lines: list[str] = []
        self.full = asyncio.Event()
        self._most = most

    def note(self, line: str) -> None:
        """Write a line, if there is room for it."""
        if len(self.lines) < self._most:
            self.lines.append(line)
        if len(self.lines) == self._most:
            self.full.set()

    def pause(self) -> float:
        """No pause, noted."""
        self.note("pause")
        return 0

    def work(self) -> None:
        """Nothing, noted."""
        self.note("work")

    async def slow_work(self) -> None:
        """Something that takes a turn of the loop, its begin and its end noted."""
        self.note("begin")
        await asyncio.sleep(0)
        self.note("end")


async def run(task: PeriodicTask, diary: Diary) -> list[str]:
    """Let a task run until its diary is full."""
    task.start()
    async with asyncio.timeout(HANGS_AFTER):
        await diary.full.wait()
    await task.close()
    return diary.lines


async def test_work_comes_after_each_pause() -> None:
    """A task rests before its first run too, and asks before each rest how long it is to be."""
    diary = Diary(4)
    task = PeriodicTask(diary.work, diary.pause, "task")
    assert await run(task, diary) == ["pause", "work", "pause", "work"]


async def test_work_comes_at_once() -> None:
    """A task that is to begin at once does its work before it rests."""
    diary = Diary(1)
    assert await run(PeriodicTask(diary.work, 3600, "task", at_once=True), diary) == ["work"]


async def test_a_run_ends_before_the_pause() -> None:
    """A coroutine function's run is awaited; the rest is between its end and the next run."""
    diary = Diary(5)
    task = PeriodicTask(diary.slow_work, diary.pause, "task", at_once=True)
    assert await run(task, diary) == ["begin", "end", "pause", "begin", "end"]


async def test_what_is_left_is_done_after_the_end() -> None:
    """What is to be done at the close is done when the work that was under way has ended."""
    diary, begun = Diary(3), asyncio.Event()

    async def work() -> None:
        diary.note("begin")
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            diary.note("end")

    async def leave() -> None:
        diary.note("leave")

    task = PeriodicTask(work, 0, "task", at_once=True, at_close=leave)
    task.start()
    async with asyncio.timeout(HANGS_AFTER):
        await begun.wait()
    await task.close()
    assert diary.lines == ["begin", "end", "leave"]


@pytest.mark.parametrize("begun", [True, False])
async def test_a_failure_ends_the_process(*, begun: bool) -> None:
    """An error in the first run or a later one tells the process to stop, as an operator would."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGTERM, told.set)
    runs = 0

    def work() -> None:
        nonlocal runs
        runs += 1
        if runs > begun:
            raise RuntimeError("it cannot go on")

    task = PeriodicTask(work, 0, "task", at_once=True)
    try:
        task.start()
        async with asyncio.timeout(HANGS_AFTER):
            await told.wait()
        await task.close()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
    assert runs == begun + 1
