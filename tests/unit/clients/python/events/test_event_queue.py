"""The queue of events."""

import asyncio

import pytest

from parley_chat.events.event_queue import AWAITED_REPLY_FACTOR, EventQueue
from parley_chat.events.kinds import UnknownEvent

LIMIT = 3


def event(number: int) -> UnknownEvent:
    return UnknownEvent(name=str(number))


async def blocked(queue: EventQueue) -> bool:
    """Whether there is no space now."""
    waiting = asyncio.ensure_future(queue.space())
    await asyncio.sleep(0)
    full = not waiting.done()
    waiting.cancel()
    return full


async def test_there_is_no_space_beyond_the_limit() -> None:
    """Whoever fills a full queue waits until somebody takes from it."""
    queue = EventQueue(LIMIT, lambda: False)
    for number in range(LIMIT):
        assert not await blocked(queue)
        queue.push(event(number))
    waiting = asyncio.ensure_future(queue.space())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await queue.get() == event(0)
    await waiting


async def test_an_awaited_reply_makes_space() -> None:
    """While a reply is awaited the limit is higher: who waits for it may be the one who reads."""
    reply_awaited = False
    queue = EventQueue(LIMIT, lambda: reply_awaited)
    for number in range(LIMIT):
        queue.push(event(number))
    waiting = asyncio.ensure_future(queue.space())
    await asyncio.sleep(0)
    assert not waiting.done()
    reply_awaited = True
    queue.look()
    await waiting
    for number in range(LIMIT * AWAITED_REPLY_FACTOR):
        queue.push(event(number))
    assert await blocked(queue)


async def test_a_closed_queue_is_emptied() -> None:
    """What is there when the queue is closed can be got; nothing comes in, nobody waits."""
    queue = EventQueue(1, lambda: False)
    queue.push(event(1))
    filler = asyncio.ensure_future(queue.space())
    await asyncio.sleep(0)
    queue.close()
    await filler
    queue.push(event(2))
    assert [await queue.get(), await queue.get()] == [event(1), None]


async def test_a_wait_that_is_given_up_loses_nothing() -> None:
    """An event that comes after its reader gave up is there for the next one."""
    queue = EventQueue(1, lambda: False)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 0.01)
    queue.push(event(1))
    assert await queue.get() == event(1)
