"""A client of the wire protocol for tests, built on packages of others."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.waiting import HANGS_AFTER

Frame = dict[str, Any]
Wire = Literal["json", "msgpack"]
WIRES: tuple[Wire, ...] = ("json", "msgpack")


class Refusal(Exception):
    """The server answered a request with an error."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data["code"], data["message"])
        self.code: str = data["code"]
        self.retryable: bool = data["retryable"]
        self.retry_after: int | None = data.get("retryAfterMs")
        self.reason: str | None = data.get("reason")


class Peer:
    """One connection: sends frames, keeps every frame that comes, waits for some.

    Args:
        url: of a gateway or a load balancer, `http://host:port`.
        query: what follows `/ws?`.
        wire: the format it asks for.
        token: what it shows in the header `Authorization`.
        headers: more of its handshake.
    """

    def __init__(
        self,
        url: str,
        query: str = "",
        wire: Wire = "json",
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws" + (f"?{query}" if query else "")
        self._wire = wire
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        self._headers = {**shown, **(headers or {})}
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._taken = 0
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._news = asyncio.Event()
        self.frames: list[Frame] = []
        self.close_code: int | None = None

    @property
    def socket(self) -> ClientConnection:
        """The WebSocket itself."""
        assert self._socket is not None
        return self._socket

    async def __aenter__(self) -> Self:
        protocol = Subprotocol(f"chat.{self._wire}")
        self._socket = await connect(
            self._url,
            subprotocols=[protocol],
            additional_headers=self._headers,
            max_queue=None,
            max_size=None,
            compression=None,
            open_timeout=HANGS_AFTER,
        )
        assert self._socket.subprotocol == protocol
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.socket.close()
        assert self._reading is not None
        await self._reading

    async def emit(self, event: str, data: object = None, request: object = None) -> None:
        """Send a frame."""
        frame: Frame = {"event": event}
        if data is not None:
            frame["data"] = data
        if request is not None:
            frame["id"] = request
        await self.raw(json.dumps(frame) if self._wire == "json" else msgpack.packb(frame))

    async def raw(self, data: str | bytes) -> None:
        """Send any data, also what is no frame."""
        await self.socket.send(data)

    async def request(self, event: str, data: object = None) -> Any:  # noqa: ANN401 - any payload
        """Send a frame with an id, and return the data of its reply.

        Raises:
            Refusal: it was answered with an error.
        """
        request = next(self._ids)
        self._answers[request] = asyncio.get_running_loop().create_future()
        await self.emit(event, data, request)
        async with asyncio.timeout(HANGS_AFTER):
            answer = await self._answers[request]
        if answer["event"] == "error":
            raise Refusal(answer["data"])
        return answer["data"]

    async def next(
        self, event: str, *, room: str | None = None, within: float = HANGS_AFTER
    ) -> Frame:
        """Wait for the next frame of an event; earlier frames are dropped."""
        async with asyncio.timeout(within):
            while True:
                while self._taken < len(self.frames):
                    frame = self.frames[self._taken]
                    self._taken += 1
                    if frame["event"] == event and room in (None, frame.get("room")):
                        return frame
                await self._something()

    async def notified(self, content: str, *, room: str | None = None) -> Frame:
        """Wait for the notification with this text.

        Notifications of who connects and goes come whenever it is known, those of tests before
        among them: the next one is seldom the one that is waited for.
        """
        while (frame := await self.next("notification", room=room))["data"]["content"] != content:
            pass
        return frame

    async def until(
        self, count: int, event: str, room: str | None, within: float = HANGS_AFTER
    ) -> list[Any]:
        """Wait until so many events of a room have come in all, and return their data."""
        async with asyncio.timeout(within):
            while len(found := self.all(event, room)) < count:
                await self._something()
        return found

    def all(self, event: str, room: str | None = None) -> list[Any]:
        """The data of every event of this name that came so far."""
        return [
            frame["data"]
            for frame in self.frames
            if frame["event"] == event and room in (None, frame.get("room"))
        ]

    async def closed(self, within: float = HANGS_AFTER) -> int | None:
        """Wait until the connection has ended, and return the close code."""
        assert self._reading is not None
        async with asyncio.timeout(within):
            await asyncio.shield(self._reading)
        return self.close_code

    async def _something(self) -> None:
        if self.close_code is not None:
            raise AssertionError(f"the connection ended with {self.close_code}")
        self._news.clear()
        await self._news.wait()

    def _decode(self, data: str | bytes) -> Frame | None:
        """Decode a frame; None if the data is no frame."""
        frame: Frame = json.loads(data) if self._wire == "json" else msgpack.unpackb(data)
        return frame

    def _receive(self, data: str | bytes) -> None:
        frame = self._decode(data)
        if frame is None:
            return
        answer = self._answers.get(frame["id"]) if "id" in frame else None
        if answer is not None and not answer.done():
            answer.set_result(frame)
        else:
            self.frames.append(frame)
        self._news.set()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for data in self.socket:
                self._receive(data)
        self._ended(self.socket.close_code or 1006)

    def _ended(self, code: int) -> None:
        self.close_code = code
        self._news.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(f"closed with {self.close_code}"))
                answer.exception()
