"""The conformance server: `python -m tests.conformance --port 3000`, on loopback.

`/engine.io/` echoes Engine.IO messages, `/socket.io/` events and acknowledgements, and `/` the
messages of a plain WebSocket: all through the parts that a gateway is made of.
"""

import argparse
import contextlib
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute

from gateway.__main__ import serving
from gateway.endpoints.engineio import EngineServer
from gateway.endpoints.socketio import SocketIOApplication
from gateway.protocols.engineio_settings import EngineSettings
from tests.conformance.echo import EngineEcho, SocketIOEcho, echo_websocket

SETTINGS = EngineSettings(ping_interval=300, ping_timeout=200, max_payload=1_000_000)
CONNECT_WITHIN = 1.0


def application() -> Starlette:
    """The three echoes."""
    return Starlette(
        routes=[
            Mount("/engine.io", EngineServer(SETTINGS, EngineEcho())),
            Mount(
                "/socket.io",
                EngineServer(SETTINGS, SocketIOApplication(SocketIOEcho(), CONNECT_WITHIN)),
            ),
            WebSocketRoute("/", echo_websocket),
        ]
    )


def listen(port: int) -> list[socket.socket]:
    """Listen on every loopback address there is: clients differ in which `localhost` is."""
    sockets = [socket.create_server(("127.0.0.1", port))]
    with contextlib.suppress(OSError):  # no IPv6 on this machine
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    return sockets


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    port = parser.parse_args().port
    config = serving(application(), "127.0.0.1", port, most_frame=SETTINGS.max_payload)
    uvicorn.Server(config).run(sockets=listen(port))


if __name__ == "__main__":
    main()
