"""A chat server as python-socketio's documentation has it: `python_socketio.py PORT REDIS_URL`."""

import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import socketio
import uvicorn


def chat(redis_url: str) -> Any:  # noqa: ANN401  the library has no types
    """The server, for one node."""
    server = socketio.AsyncServer(
        async_mode="asgi", client_manager=socketio.AsyncRedisManager(redis_url)
    )
    names: dict[str, str] = {}

    @server.event  # type: ignore[untyped-decorator]
    async def connect(sid: str, environ: dict[str, Any], _: object) -> None:
        names[sid] = parse_qs(environ["QUERY_STRING"])["username"][0]

    @server.event  # type: ignore[untyped-decorator]
    async def disconnect(sid: str, _: object) -> None:
        names.pop(sid, None)

    @server.event  # type: ignore[untyped-decorator]
    async def join(sid: str, room: str) -> str:
        await server.enter_room(sid, room)
        return room

    @server.event  # type: ignore[untyped-decorator]
    async def message(sid: str, data: dict[str, str]) -> None:
        said = {
            "room": data["room"],
            "content": data["content"],
            "sender": names[sid],
            "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        await server.emit("message", said, room=data["room"])

    return server


def main() -> None:
    """Serve."""
    port, redis_url = sys.argv[1:]
    app = socketio.ASGIApp(chat(redis_url))
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False)


if __name__ == "__main__":
    main()
