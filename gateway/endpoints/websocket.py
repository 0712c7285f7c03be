"""`/ws`: JSON or MessagePack frames over a WebSocket (RFC 6455)."""

from typing import Final

import msgspec
from starlette.websockets import WebSocket

from gateway.close_codes import CloseCode
from gateway.connection import Connection
from gateway.conversation import Conversation
from gateway.endpoints.guard import address_of
from gateway.handlers import people
from gateway.protocols.frames import Format
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.services import Services
from gateway.transport import ADOPT, Adopt, Link
from gateway.visitor import Visitor
from shared.errors import ChatError
from shared.model.commands import SetUsername

FORMATS: Final[dict[str, Format]] = {wire.name: wire for wire in (JSON, MSGPACK)}


async def chat(websocket: WebSocket) -> None:
    """Take a client in, and hand its connection to a conversation."""
    services: Services = websocket.app.state.services
    offered = websocket.scope.get("subprotocols", [])
    chosen = next((name for name in offered if name in FORMATS), None)
    await websocket.accept(subprotocol=chosen)
    if services.readiness.draining:
        await websocket.close(CloseCode.RESTARTING, "this gateway is leaving")
        return
    wire = FORMATS[chosen] if chosen else JSON
    query = websocket.query_params
    username, durable = query.get("username"), query.get("durable") == "1"
    welcome = query.get("welcome") == "1"

    def begin(link: Link) -> Conversation:
        settings = services.settings
        connection = Connection(
            wire, link, services.flusher, settings.gateway_name, settings.outbox_limit
        )
        connection.durable = durable
        if services.limits is not None:
            connection.visitor = Visitor(services.limits, address_of(websocket.scope))
        if welcome:
            people.welcome(services, connection)
        _bind(connection, username)
        return Conversation(services, connection, link)

    adopt: Adopt = websocket.scope["extensions"][ADOPT]
    adopt(begin)


def _bind(connection: Connection, username: str | None) -> None:
    """Take the name of the query; one that is no name is answered and not taken."""
    if not username:
        return
    try:
        connection.bind(msgspec.convert({"username": username}, SetUsername).username)
    except msgspec.ValidationError as error:
        connection.refuse(None, ChatError("bad_request", f"username: {error}"))
