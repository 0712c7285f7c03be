"""Retries of requests that failed with a transient error."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_before_delay, stop_never
from tenacity.wait import wait_random_exponential

from parley_chat.errors import ChatError

T = TypeVar("T")

MAX_PAUSE_SECONDS: Final = 2.0
"""Longest pause between two attempts."""


async def retry_transient(
    ask: Callable[[], Awaitable[T]],
    is_transient: Callable[[ChatError], bool],
    deadline: float | None = None,
) -> T:
    """Repeat a request until it succeeds or fails for good.

    Args:
        ask: Makes one attempt.
        is_transient: Returns whether to try again after an error.
        deadline: Seconds for all attempts together; None for no limit.

    Raises:
        ChatError: an error that is not transient, or the last transient one at the deadline.
        TimeoutError: there was no answer at all before the deadline.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, ChatError) and is_transient(error)
        ),
        wait=wait_random_exponential(multiplier=0.1, max=MAX_PAUSE_SECONDS),
        stop=stop_never if deadline is None else stop_before_delay(deadline),
        reraise=True,
    )
    last_error: ChatError | None = None
    try:
        async with asyncio.timeout(deadline):
            async for attempt in retrying:
                with attempt:
                    try:
                        return await ask()
                    except ChatError as error:
                        last_error = error
                        raise
    except TimeoutError:
        if last_error is not None:
            raise last_error from None
        raise TimeoutError(f"no answer within {deadline:g} s") from None
    raise AssertionError("the last attempt returns or raises")
