"""Lines piped into the terminal chat."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import Final

CHUNK_BYTES: Final = 65_536


class PipedLines:
    """Lines of a pipe or a file, by default standard input."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        """Iterate over the lines, without their ends; bytes that are not UTF-8 are replaced."""
        rest = b""
        while chunk := await _in_thread(self._descriptor):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").rstrip("\r")
        if rest:
            yield rest.decode(errors="replace")


async def _in_thread(descriptor: int) -> bytes:
    """Read a chunk in a daemon thread, which does not keep the process alive at its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(chunk: bytes) -> None:
        if not done.done():
            done.set_result(chunk)

    def run() -> None:
        try:
            chunk = os.read(descriptor, CHUNK_BYTES)
        except OSError:
            chunk = b""
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, chunk)

    threading.Thread(target=run, daemon=True).start()
    return await done
