"""The conformance server, on loopback.

`/engine.io/` echoes Engine.IO messages, `/socket.io/` events and acknowledgements, and `/` the
messages of a plain WebSocket: all through the parts that a gateway is made of.
"""

import contextlib
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute

from gateway.connections.http.half_open import ConnectionTimeouts
from gateway.connections.http.slowed import SlowedAddresses
from gateway.endpoints.guard import Guard
from gateway.endpoints.serving import uvicorn_config
from gateway.endpoints.socketio.server import EngineServer
from gateway.protocols.engineio.settings import EngineSettings
from shared.addresses import Networks
from shared.command_line import command_line
from shared.web.origins import Origins
from tests.conformance.echo import EngineEcho, SocketIOEcho, echo_websocket
from tests.conformance.namespaces import SocketIOApplication

MAX_PAYLOAD = 1_000_000

OPTIONS = (
    ("ping-interval", 300, "milliseconds"),
    ("ping-timeout", 200, "milliseconds"),
    ("connect-timeout", 1000, "milliseconds"),
    ("handshake-timeout", 10_000, "milliseconds"),
    ("websocket-ping", 20_000, "milliseconds"),
    ("max-half-open", 4096, "connections"),
)


def application(settings: EngineSettings, connect_within: float) -> Starlette:
    """The three echoes.

    Args:
        settings: of both Engine.IO servers.
        connect_within: seconds a Socket.IO session may be without a namespace.
    """
    sockets = SocketIOApplication(SocketIOEcho(), connect_within)
    everybody = Middleware(
        Guard, origins=Origins.parse("*"), trusted=Networks.parse(""), slowed=SlowedAddresses()
    )
    return Starlette(
        middleware=[everybody],
        routes=[
            Mount("/engine.io", EngineServer(settings, EngineEcho())),
            Mount("/socket.io", EngineServer(settings, sockets)),
            WebSocketRoute("/", echo_websocket),
        ],
    )


def listen(port: int) -> list[socket.socket]:
    """Listen on every loopback address there is: clients differ in which `localhost` is."""
    sockets = [socket.create_server(("127.0.0.1", port))]
    with contextlib.suppress(OSError):  # no IPv6 on this machine
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    return sockets


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = command_line("tests.conformance", __doc__)
    parser.add_argument("--port", type=int, default=3000, help="3000 unless given")
    for name, default, unit in OPTIONS:
        parser.add_argument(f"--{name}", type=int, default=default, help=unit)
    given = parser.parse_args()
    settings = EngineSettings(given.ping_interval, given.ping_timeout, MAX_PAYLOAD)
    app = application(settings, given.connect_timeout / 1000)
    timeouts = ConnectionTimeouts(
        given.handshake_timeout / 1000, given.max_half_open, given.websocket_ping / 1000
    )
    config = uvicorn_config(app, "127.0.0.1", given.port, MAX_PAYLOAD, timeouts, SlowedAddresses())
    uvicorn.Server(config).run(sockets=listen(given.port))


if __name__ == "__main__":
    main()
