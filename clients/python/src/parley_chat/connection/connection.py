"""An open connection: frames in, frames out, and tasks that end with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from parley_chat.connection.limits import Limits
from parley_chat.connection.wire import BadFrame, Data, Frame, Wire
from parley_chat.constants import CloseCode
from parley_chat.errors import ConnectionLost

log = logging.getLogger(__name__)


class Session:
    """An open WebSocket, with a queue of outgoing frames."""

    def __init__(self, websocket: ClientConnection, wire: Wire, limits: Limits) -> None:
        self._websocket = websocket
        self._wire = wire
        self._limits = limits
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._tasks = asyncio.TaskGroup()
        self._began = asyncio.get_running_loop().time()

    @property
    def lasted(self) -> float:
        """Seconds since it was opened."""
        return asyncio.get_running_loop().time() - self._began

    @property
    def close_code(self) -> int | None:
        """Close code (RFC 6455, section 7.4); 1006 if the server sent none, None while open."""
        return self._websocket.close_code

    @property
    def close_reason(self) -> str:
        """Reason for its end, as a sentence for a person."""
        said = self._websocket.close_reason
        code = self._websocket.close_code
        return said or ("the connection broke" if code in {None, 1006} else f"closed with {code}")

    @property
    def was_sent_too_much(self) -> bool:
        """True if the server ended it because a frame was too large."""
        # Not `close_code`: that may also be what this side sent, about a frame of the server.
        received = self._websocket.protocol.close_rcvd
        return received is not None and received.code == CloseCode.MESSAGE_TOO_BIG

    def post(self, frame: dict[str, Data]) -> int:
        """Queue a frame behind those before it.

        Returns:
            Its bytes.

        Raises:
            ChatError: `too_long`: it has more bytes than the server takes.
            ValueError, TypeError: its data cannot be encoded.
        """
        encoded = self._wire.encode(frame)
        size = self._wire.size(encoded)
        self._limits.check_frame(size)
        self._outgoing.put_nowait(encoded)
        return size

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Run a task until it or the connection ends."""
        self._tasks.create_task(_unless_lost(task))

    async def run(
        self,
        start: Callable[[], None],
        take: Callable[[Frame], None],
        space: Callable[[], Awaitable[None]],
    ) -> None:
        """Read frames until the connection ends.

        Args:
            start: Called before the first frame is read.
            take: Called with each frame.
            space: Waits until there is space for the events of another frame.
        """
        try:
            async with self._tasks:
                self._tasks.create_task(self._write())
                start()
                await self._read(take, space)
        except* ConnectionClosed:
            pass

    async def close(self) -> None:
        """Close the connection, and wait for the server's close frame."""
        await self._websocket.close()

    async def close_in(self, seconds: float) -> None:
        """Close the connection after so many seconds."""
        await asyncio.sleep(seconds)
        await self.close()

    async def _read(
        self, take: Callable[[Frame], None], space: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await space()
            data = await self._websocket.recv()
            try:
                frame = self._wire.decode(data)
            except BadFrame as error:
                # If it was part of a room's log, the `prev` of the next event shows the gap.
                log.warning("frame not understood: %s", error)
                continue
            take(frame)

    async def _write(self) -> None:
        while True:
            await self._websocket.send(await self._outgoing.get())


async def _unless_lost(task: Coroutine[Any, Any, object]) -> None:
    try:
        await task
    except* ConnectionLost:
        pass
