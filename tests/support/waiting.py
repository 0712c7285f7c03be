"""Waiting for what cannot be awaited: another process, a server, a database."""

import asyncio
import os
import select
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

HANGS_AFTER = 60.0
"""Seconds after which what does not happen never will, however busy the machine is."""


async def eventually(look: Callable[[], Awaitable[T]], within: float = HANGS_AFTER) -> T:
    """Call `look` again and again until its result is true; return the result.

    Raises:
        AssertionError: it was not in time; the text says what was found last.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    pause = 0.01
    while not (found := await look()):
        if loop.time() > until:
            raise AssertionError(f"not within {within:g} s, found at last: {found!r}")
        await asyncio.sleep(pause)
        # Ten looks a second stay below the rate of connections of an address. With a hundred, a
        # look that connects is refused after some seconds. One that connects as a user needs a
        # higher RATE_USER_CONNECTIONS, or none.
        pause = min(0.1, 1.2 * pause)
    return found


async def until_gone(pid: int, within: float = HANGS_AFTER) -> None:
    """Wait until process `pid`, which the test did not start itself, has ended.

    Raises:
        TimeoutError: it still runs after `within` seconds.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = await asyncio.to_thread(select.select, [handle], [], [], within)
    finally:
        os.close(handle)
    if not ended:
        raise TimeoutError(f"process {pid} still runs after {within:g} s")
