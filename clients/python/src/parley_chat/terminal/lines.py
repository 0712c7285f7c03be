"""Lines from standard input: typed in a terminal, or piped in."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Final, Protocol

try:
    import readline
    import termios
except ImportError:  # a system without them: lines are typed without notices of typing
    readline = termios = None  # type: ignore[assignment]

from collections.abc import Iterator

CHUNK: Final = 65_536
CLEAR_LINE, UP = "\r\x1b[K", "\x1b[1A"


class Lines(Protocol):
    """Where lines come from."""

    def __aiter__(self) -> AsyncIterator[str]:
        """The lines, without their ends."""
        ...


class PipedLines:
    """Lines of a pipe or a file."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        """The lines, without their ends; one that is not UTF-8 has its bytes replaced."""
        rest = b""
        while chunk := await _in_thread(self._descriptor):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").rstrip("\r")
        if rest:
            yield rest.decode(errors="replace")


async def _in_thread(descriptor: int) -> bytes:
    """Read in a daemon thread: at the end nobody waits for input that does not come."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(chunk: bytes) -> None:
        if not done.done():
            done.set_result(chunk)

    def run() -> None:
        try:
            chunk = os.read(descriptor, CHUNK)
        except OSError:
            chunk = b""
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, chunk)

    threading.Thread(target=run, daemon=True).start()
    return await done


class TypedLines:
    """Lines typed in a terminal; what is written meanwhile goes above the one being typed."""

    def __init__(self) -> None:
        self.prompt = "> "
        self._typing = False

    async def __aiter__(self) -> AsyncIterator[str]:
        """The lines, until the end of input (Ctrl-D)."""
        with _terminal_as_it_was():
            while (line := await self._next()) is not None:
                yield line

    @property
    def buffer(self) -> str:
        """What stands in the line being typed."""
        return readline.get_line_buffer() if self._typing and readline is not None else ""

    def write(self, line: str) -> None:
        """Write a line above the one being typed."""
        again = f"{self.prompt}{self.buffer}" if self._typing else ""
        sys.stdout.write(f"{CLEAR_LINE}{line}\n{again}")
        sys.stdout.flush()

    async def _next(self) -> str | None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str | None] = loop.create_future()

        def settle(line: str | None) -> None:
            self._typing = False
            if not done.done():
                done.set_result(line)

        def run(prompt: str) -> None:
            try:
                line: str | None = input(prompt)
            except (EOFError, OSError, UnicodeDecodeError):
                line = None
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, line)

        self._typing = True
        threading.Thread(target=run, args=(self.prompt,), daemon=True).start()
        line = await done
        if line is not None:
            self._take_back(line)
        return line

    def _take_back(self, line: str) -> None:
        """Remove the line from the screen: it comes back as what the room was told."""
        width = os.get_terminal_size(sys.stdout.fileno()).columns or 80
        rows = (len(self.prompt) + len(line)) // width + 1
        sys.stdout.write(f"{UP}{CLEAR_LINE}" * rows)
        sys.stdout.flush()


@contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Whoever interrupts a line being typed gets back a terminal that shows what is typed."""
    if termios is None:
        yield
        return
    before = termios.tcgetattr(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
