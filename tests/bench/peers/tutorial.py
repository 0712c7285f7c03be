"""A chat server as tutorials have it, on Starlette and Redis pub/sub."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.command_line import command_line


class Chat:
    """The rooms of one node."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Any = Redis.from_url(redis_url, max_connections=1000)
        self._pubsub: Any = self._redis.pubsub()
        self._rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Listen while the server runs."""
        await self._pubsub.subscribe("nothing")  # it cannot listen without a channel
        listening = asyncio.create_task(self._listen())
        yield
        listening.cancel()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve a client until it disconnects."""
        await websocket.accept()
        try:
            while True:
                await self._handle(websocket, json.loads(await websocket.receive_text()))
        except WebSocketDisconnect:
            for members in self._rooms.values():
                members.discard(websocket)

    async def _handle(self, websocket: WebSocket, asked: dict[str, str]) -> None:
        room = asked["room"]
        if asked["event"] == "join":
            if not self._rooms[room]:
                await self._pubsub.subscribe(room)
            self._rooms[room].add(websocket)
            await websocket.send_text(json.dumps({"event": "joined", "room": room}))
            return
        said = {
            "event": "message",
            "room": room,
            "content": asked["content"],
            "sender": websocket.query_params["username"],
            "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        await self._redis.publish(room, json.dumps(said, separators=(",", ":")))

    async def _listen(self) -> None:
        async for push in self._pubsub.listen():
            if push["type"] != "message":
                continue
            text = push["data"].decode()
            for member in list(self._rooms[push["channel"].decode()]):
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await member.send_text(text)


def main() -> None:
    """Serve."""
    parser = command_line("tests.bench.peers.tutorial", __doc__)
    parser.add_argument("port", metavar="PORT", type=int, help="where it listens, on loopback")
    parser.add_argument("redis_url", metavar="REDIS_URL", help="the Redis between its nodes")
    given = parser.parse_args()
    chat = Chat(given.redis_url)
    app = Starlette(routes=[WebSocketRoute("/ws", chat.serve)], lifespan=chat.lifespan)
    uvicorn.run(app, host="127.0.0.1", port=given.port, ws="websockets-sansio", access_log=False)


if __name__ == "__main__":
    main()
