"""The fair queue: who works next, who is refused, and what becomes of those who leave."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.access.shares.fair_queue import FairQueue
from gateway.access.shares.slot import without_slot
from shared.errors import ChatError
from tests.support.asker import Asker
from tests.support.waiting import eventually

ANN = Asker("ann", "192.0.2.1")
BOB = Asker("bob", "192.0.2.1")
EVE = Asker("eve", "192.0.2.2")


class Stage:
    """Work in a fair queue, each piece of which ends when the test says so."""

    def __init__(self, queue: FairQueue | None = None) -> None:
        self.queue = queue or FairQueue(1, max_waiting=100)
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, asker: Asker, *names: str) -> None:
        """Ask for a slot for each piece of work."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._work(asker, name))
            await settled()

    async def end(self, *names: str) -> None:
        """Let work end that has begun."""
        for name in names:
            self.ends[name].set()
            await settled()

    async def leave(self, *names: str) -> None:
        """Cancel work, whether it has begun or not."""
        for name in names:
            self.tasks[name].cancel()
        await settled()

    async def order(self) -> list[str]:
        """Let each piece of work end once it has begun, and return the order of all."""
        for name in iter(self.begun):
            await self.end(name)
        assert self.queue.waiting == 0
        return self.begun

    def refused(self, name: str) -> bool:
        """Whether a piece of work was refused as too much."""
        task = self.tasks[name]
        if not task.done() or task.cancelled() or (error := task.exception()) is None:
            return False
        assert isinstance(error, ChatError)
        assert (error.code, error.retryable) == ("overloaded", True)
        return True

    async def _work(self, asker: Asker, name: str) -> None:
        async with self.queue.slot(asker):
            self.begun.append(name)
            await self.ends[name].wait()


async def settled() -> None:
    """Let all tasks run until they wait for something."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_users_of_an_address_take_turns() -> None:
    """A user is next after one piece of work of another one, who asked for many before."""
    stage = Stage()
    await stage.ask(ANN, "a1", "a2", "a3", "a4")
    await stage.ask(BOB, "b1", "b2")
    assert await stage.order() == ["a1", "b1", "a2", "b2", "a3", "a4"]


async def test_an_address_counts_once() -> None:
    """An address with many users, each of whom asks, has no more than an address with one."""
    stage = Stage()
    for number in range(4):
        await stage.ask(Asker(f"user {number}", "192.0.2.1"), f"a{number}")
    await stage.ask(EVE, "e1", "e2")
    assert await stage.order() == ["a0", "a1", "e1", "a2", "e2", "a3"]


async def test_an_ipv6_network_is_one_address() -> None:
    """All addresses of a /64 share what an address gets."""
    stage = Stage()
    for number in range(4):
        await stage.ask(Asker("a", f"2001:db8::{number}"), f"a{number}")
    await stage.ask(Asker("e", "2001:db8:0:1::1"), "e1")
    assert await stage.order() == ["a0", "e1", "a1", "a2", "a3"]


async def test_a_user_holds_so_many_slots() -> None:
    """A user beyond its own bound waits though slots are free, and others get these at once."""
    stage = Stage(FairQueue(3, max_waiting=100, max_slots_per_user=2))
    await stage.ask(ANN, "a1", "a2", "a3", "a4")
    assert stage.begun == ["a1", "a2"]
    await stage.ask(BOB, "b1")
    assert stage.begun == ["a1", "a2", "b1"]
    await stage.end("a2")
    assert stage.begun == ["a1", "a2", "b1", "a3"]
    assert await stage.order() == ["a1", "a2", "b1", "a3", "a4"]


async def test_who_leaves_gives_its_place_back() -> None:
    """Work that is cancelled, while it waits or while it runs, is in nobody's way afterwards."""
    stage = Stage(FairQueue(1, max_waiting=100, max_waiting_per_user=2))
    await stage.ask(ANN, "a1", "a2", "a3")
    await stage.ask(BOB, "b1")
    await stage.leave("a2", "a3", "b1")
    assert stage.queue.waiting == 0
    await stage.ask(ANN, "a4", "a5", "a6")
    assert not stage.refused("a5")
    assert stage.refused("a6")
    await stage.leave("a1")
    assert stage.begun == ["a1", "a4"]
    assert await stage.order() == ["a1", "a4", "a5"]


async def test_who_leaves_as_it_is_served_gives_its_slot_back() -> None:
    """A slot that is given to work which is cancelled at the same moment goes to the next one."""
    stage = Stage()
    await stage.ask(ANN, "a1", "a2", "a3")
    stage.ends["a1"].set()
    await asyncio.sleep(0)  # the slot is given to a2, which does not know it yet
    await stage.leave("a2")
    assert stage.begun == ["a1", "a3"]
    stage.tasks["a3"].cancel()
    await stage.ask(BOB, "b1")
    assert await stage.order() == ["a1", "a3", "b1"]


async def test_waiting_is_bounded() -> None:
    """A user, and an address, that have too much waiting are refused; another address is not."""
    bounds = {"max_waiting_per_user": 2, "max_waiting_per_address": 3}
    stage = Stage(FairQueue(1, max_waiting=100, **bounds))
    await stage.ask(ANN, "a1", "a2", "a3", "a4")
    await stage.ask(BOB, "b1", "b2")
    await stage.ask(EVE, "e1")
    assert [name for name in stage.tasks if stage.refused(name)] == ["a4", "b2"]
    assert await stage.order() == ["a1", "b1", "e1", "a2", "a3"]


async def test_a_full_queue_refuses_whoever_has_most_in_it() -> None:
    """When all that may wait do, the last of the longest line is refused, not the newcomer."""
    stage = Stage(FairQueue(1, max_waiting=3))
    await stage.ask(ANN, "a1", "a2", "a3", "a4")
    await stage.ask(EVE, "e1")
    assert stage.refused("a4")
    await stage.ask(ANN, "a5")
    assert stage.refused("a5")
    assert await stage.order() == ["a1", "e1", "a2", "a3"]


async def test_a_slot_is_held_for_so_long() -> None:
    """Work that does not end keeps others waiting for the longest time of a slot, not for ever."""
    stage = Stage(FairQueue(2, max_waiting=100, max_slot_seconds=0.5))
    await stage.ask(ANN, "a1", "a2")
    await stage.ask(BOB, "b1", "b2", "b3")

    async def last() -> bool:
        return "b3" in stage.begun

    await eventually(last)
    await stage.end("a1", "a2", "b1", "b2", "b3")
    await stage.ask(ANN, "a3", "a4", "a5")
    assert stage.begun[5:] == ["a3", "a4"]  # nothing was given back twice
    assert (await stage.order())[5:] == ["a3", "a4", "a5"]


async def test_who_waits_for_something_else_holds_no_slot() -> None:
    """Work that steps aside lets others work, and goes on behind those who wait by then."""
    stage, order = Stage(), list[str]()
    aside, back = asyncio.Event(), asyncio.Event()

    async def steps_aside() -> None:
        async with stage.queue.slot(EVE):
            async with without_slot():
                aside.set()
                await back.wait()
            order.append("back")

    task = asyncio.create_task(steps_aside())
    await aside.wait()
    await stage.ask(ANN, "a1", "a2")
    assert stage.begun == ["a1"]
    back.set()
    await settled()
    assert order == []
    await stage.end("a1")
    assert stage.begun == ["a1", "a2"]
    await stage.end("a2")
    await task
    await stage.ask(BOB, "b1")
    assert await stage.order() == ["a1", "a2", "b1"]


async def test_what_steps_aside_and_fails_takes_no_slot() -> None:
    """An error on the way is raised as it is, and no slot is lost by it."""
    stage = Stage()
    with pytest.raises(ValueError, match="wrong"):
        async with stage.queue.slot(EVE), without_slot():
            raise ValueError("wrong")
    await stage.ask(ANN, "a1")
    assert await stage.order() == ["a1"]


async def test_many_at_once() -> None:
    """However clients come, leave and end, all slots are free in the end and nobody waits."""
    queue, running, most = FairQueue(4, max_waiting=1000, max_slots_per_user=2), 0, 0

    async def work(number: int) -> None:
        nonlocal running, most
        async with queue.slot(Asker(f"user {number % 13}", f"192.0.2.{number % 7}")):
            running += 1
            most = max(most, running)
            try:
                for _ in range(number % 5):
                    await asyncio.sleep(0)
            finally:
                running -= 1

    tasks = [asyncio.create_task(work(number)) for number in range(500)]
    for number in range(0, 500, 3):
        await asyncio.sleep(0)
        tasks[number].cancel()
    await asyncio.wait(tasks)
    assert (running, queue.waiting, most) == (0, 0, 4)
    async with AsyncExitStack() as stack:
        for number in range(4):
            await stack.enter_async_context(queue.slot(Asker(f"user {number}", "192.0.2.1")))
