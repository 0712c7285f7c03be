"""One connection of a client: requests, and a callback for everything that comes."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any, Self

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from tests.support.peer import Frame, Refusal, Wire

PATIENCE = 15.0
"""Seconds for an answer."""

CANNOT_CONNECT = (
    OSError,
    TimeoutError,
    InvalidHandshake,
    InvalidMessage,
    ConnectionClosed,
    EOFError,
)


Then = Callable[[Any], None]


def _nothing(_answer: object) -> None:
    pass


class Lost(Exception):
    """The connection ended, or no answer came: the outcome of the request is unknown."""


class Line:
    """A connection."""

    def __init__(
        self, socket: ClientConnection, wire: Wire, on_frame: Callable[[Frame], None]
    ) -> None:
        self._socket = socket
        self._wire = wire
        self._on_frame = on_frame
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[asyncio.Future[Frame], Then]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls, url: str, query: str, wire: Wire, on_frame: Callable[[Frame], None]
    ) -> Self:
        """Connect.

        Raises:
            CANNOT_CONNECT: there is nobody.
        """
        socket = await connect(
            f"{url}/ws?{query}",
            subprotocols=[Subprotocol(f"chat.{wire}")],
            max_queue=None,
            max_size=None,
            compression=None,
            open_timeout=5,
            close_timeout=1,
        )
        return cls(socket, wire, on_frame)

    @property
    def quiet(self) -> bool:
        """True if no request waits for an answer."""
        return not self._answers

    async def request(self, event: str, data: object, then: Then = _nothing) -> Any:  # noqa: ANN401 - any payload
        """Send a request, and return the answer.

        Args:
            event: what is asked.
            data: its payload.
            then: called with the answer before anything that came after it is read.

        Raises:
            Refusal: it was answered by an error.
            Lost: it was not answered.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer, then
        frame = {"event": event, "data": data, "id": number}
        try:
            async with asyncio.timeout(PATIENCE):
                await self._socket.send(
                    json.dumps(frame) if self._wire == "json" else msgpack.packb(frame)
                )
                found = await answer
        except (ConnectionClosed, TimeoutError) as error:
            raise Lost(str(error)) from None
        finally:
            self._answers.pop(number, None)
        if found["event"] == "error":
            raise Refusal(found["data"])
        return found["data"]

    async def ended(self) -> None:
        """Wait for the end of the connection."""
        await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Close the connection in order."""
        await self._socket.close()
        await self._reading

    def abort(self) -> None:
        """Drop the connection at once."""
        self._socket.transport.abort()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for data in self._socket:
                self._take(json.loads(data) if self._wire == "json" else msgpack.unpackb(data))
        for answer, _ in list(self._answers.values()):
            if not answer.done():
                answer.set_exception(Lost("the connection ended"))
                answer.exception()  # whoever asked may have been told to stop meanwhile

    def _take(self, frame: Frame) -> None:
        answer, then = self._answers.get(frame.get("id", 0), (None, _nothing))
        if answer is None:
            self._on_frame(frame)
        elif not answer.done():
            if frame["event"] == "reply":
                then(frame["data"])
            answer.set_result(frame)
