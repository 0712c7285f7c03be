"""A `Peer` that speaks Socket.IO over a WebSocket."""

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping
from typing import Self

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.peer import Frame, Peer
from tests.support.waiting import HANGS_AFTER

_PACKET = re.compile(r"4([23])(\d*)(\[.*)", re.DOTALL)


class SocketIOPeer(Peer):
    """A peer whose frames are Socket.IO packets; received events look as for any peer.

    Args:
        url: of a gateway or a load balancer, `http://host:port`.
        query: what follows `/socket.io/?`.
        auth: what it shows when it connects.

    Attributes:
        pid: opens its session when it comes back.
        offset: of the last event it got.
        recovered: whether it is back where it was.
    """

    def __init__(self, url: str, query: str = "", auth: Mapping[str, object] | None = None) -> None:
        super().__init__(url)
        self._auth = auth or {}
        start = url.replace("http", "ws", 1)
        self._url = f"{start}/socket.io/?EIO=4&transport=websocket&{query}"
        self.pid: str | None = None
        self.offset: str | None = None
        self.recovered = False

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url, max_queue=None, max_size=None, compression=None, open_timeout=HANGS_AFTER
        )
        assert str(await self.socket.recv()).startswith("0{")
        await self.raw("40" + json.dumps(dict(self._auth)))
        answer = json.loads(str(await self.socket.recv())[2:])
        self.pid = answer["pid"]
        self.recovered = self.pid == self._auth.get("pid")
        self._reading = asyncio.create_task(self._read())
        return self

    async def emit(self, event: str, data: object = None, request: object = None) -> None:
        """Emit an event."""
        number = "" if request is None else request
        await self.raw(f"42{number}" + json.dumps([event, data]))

    def lose(self) -> None:
        """Lose the connection without a goodbye."""
        self.socket.transport.abort()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for packet in self.socket:
                if packet == "2":
                    await self.raw("3")
                else:
                    self._receive(packet)
        self._ended(self.socket.close_code or 1006)

    def _decode(self, data: str | bytes) -> Frame | None:
        packet = _PACKET.fullmatch(str(data))
        if packet is None:
            return None
        kind, number, payload = packet.groups()
        arguments = json.loads(payload)
        if kind == "3":
            refused = isinstance(arguments[0], dict) and "error" in arguments[0]
            answer = arguments[0]["error"] if refused else arguments[0]
            return {"event": "error" if refused else "reply", "id": int(number), "data": answer}
        event, told, *more = arguments
        if more and isinstance(more[-1], str):
            self.offset = more[-1]
        places = [place for place in (told, *more) if isinstance(place, dict)]
        room = next((place["room"] for place in places if "room" in place), None)
        return {"event": event, "data": told, **({} if room is None else {"room": room})}
