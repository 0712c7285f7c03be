"""Requester again until there is an answer."""

import asyncio
from itertools import count

import pytest

from parley_chat.connection.retries import retry_transient
from parley_chat.errors import ChatError


async def test_an_error_stands_in_the_way_of_an_answer() -> None:
    """Where the last attempt is unanswered at the end, what is told is the error before it."""
    attempts = count()

    async def ask() -> None:
        if next(attempts):
            await asyncio.Event().wait()
        raise ChatError("overloaded", "too much")

    with pytest.raises(ChatError, match="too much"):
        await retry_transient(ask, lambda error: error.retryable, 0.5)
