"""Asking again where the answer was an error that passes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_before_delay, stop_never
from tenacity.wait import wait_random_exponential

from parley_chat.errors import ChatError

T = TypeVar("T")

LONGEST_PAUSE: Final = 2.0
"""Seconds between two attempts, at the most."""


async def persist(
    ask: Callable[[], Awaitable[T]],
    may_pass: Callable[[ChatError], bool],
    within: float | None = None,
) -> T:
    """Ask until there is an answer or an error that will stay.

    Args:
        ask: is called for each attempt.
        may_pass: whether to ask again after this error.
        within: seconds that it may take in all; None for no end.

    Raises:
        ChatError: one that will stay, or that stood in the way until the end.
        TimeoutError: the end came before any answer.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, ChatError) and may_pass(error)),
        wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE),
        stop=stop_never if within is None else stop_before_delay(within),
        reraise=True,
    )
    stood_in_the_way: ChatError | None = None
    try:
        async with asyncio.timeout(within):
            async for attempt in retrying:
                with attempt:
                    try:
                        return await ask()
                    except ChatError as error:
                        stood_in_the_way = error
                        raise
    except TimeoutError:
        if stood_in_the_way is not None:
            raise stood_in_the_way from None
        raise TimeoutError(f"no answer within {within:g} s") from None
    raise AssertionError("the last attempt returns or raises")
