"""A chat server as python-socketio's documentation has it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from shared.command_line import command_line


def chat(redis_url: str) -> Any:  # noqa: ANN401  the library has no types
    """The application of one node."""
    import socketio  # noqa: PLC0415  absent without requirements/bench.txt, where --help works too

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

    return socketio.ASGIApp(server)


def main() -> None:
    """Serve."""
    parser = command_line("tests.bench.peers.python_socketio", __doc__)
    parser.add_argument("port", metavar="PORT", type=int, help="where it listens, on loopback")
    parser.add_argument("redis_url", metavar="REDIS_URL", help="the Redis between its nodes")
    given = parser.parse_args()
    uvicorn.run(chat(given.redis_url), host="127.0.0.1", port=given.port, access_log=False)


if __name__ == "__main__":
    main()
