"""`/ws`: JSON or MessagePack frames over a WebSocket (RFC 6455)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.websockets import WebSocket

from gateway.access.identity import bearer_token
from gateway.access.tokens import Bearer
from gateway.api.conversation import Conversation
from gateway.api.handlers import people
from gateway.api.handlers.authentication import enter
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.connections.entrance import Entrance
from gateway.connections.visitor import Visitor
from gateway.connections.websocket import ADOPT, Adopt, Link
from gateway.endpoints.guard import address_of
from gateway.protocols.close_codes import CloseCode
from gateway.protocols.frames import Format, Outgoing
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from shared.errors import ChatError
from shared.model.commands import SetUsername

FORMATS: Final[dict[str, Format]] = {wire.name: wire for wire in (JSON, MSGPACK)}


async def chat(websocket: WebSocket) -> None:
    """Take a client in, and hand its connection to a conversation.

    Who it is, is found out before it is answered: once it was, it may send, and nothing may wait.
    """
    services: Services = websocket.app.state.services
    query = websocket.query_params
    bearer = refusal = None
    try:
        token = bearer_token(websocket.headers.get("authorization"))
        bearer = await services.identity.recognise(query, token=token, ticket=query.get("ticket"))
    except ChatError as error:
        refusal = error
    offered = websocket.scope.get("subprotocols", [])
    chosen = next((name for name in offered if name in FORMATS), None)
    await websocket.accept(subprotocol=chosen)
    if services.readiness.draining:
        await websocket.close(CloseCode.RESTARTING, "this gateway is leaving")
        return
    wire = FORMATS[chosen] if chosen else JSON
    if refusal is not None:
        await _turn_away(websocket, wire, refusal)
        return

    def begin(link: Link) -> Conversation:
        settings = services.settings
        connection = Connection(
            wire, link, services.flusher, settings.gateway_name, settings.outbox_limit
        )
        if services.limits is not None:
            connection.visitor = Visitor(services.limits, address_of(websocket.scope))
        connection.durable = query.get("durable") == "1"
        return _begin(services, connection, link, query, bearer)

    adopt: Adopt = websocket.scope["extensions"][ADOPT]
    adopt(begin)


def _begin(
    services: Services,
    connection: Connection,
    link: Link,
    query: Mapping[str, str],
    bearer: Bearer | None,
) -> Conversation:
    username, welcome = query.get("username") or None, query.get("welcome") == "1"
    if not services.identity.wanted:
        if welcome:
            people.welcome(services, connection)
        _bind(connection, username)
        return Conversation(services, connection, link)
    connection.entrance = Entrance(username, welcome)
    conversation = Conversation(services, connection, link)
    if bearer is not None:
        try:
            enter(services, connection, bearer)
        except ChatError as error:
            connection.refuse(None, error)
    return conversation


async def _turn_away(websocket: WebSocket, wire: Format, error: ChatError) -> None:
    """Tell a client why it is not taken in: it has an open WebSocket, so that it can read it."""
    packed = wire.encode(Outgoing("error", data=error.payload()))
    if wire.text:
        await websocket.send_text(packed.decode())
    else:
        await websocket.send_bytes(packed)
    code = CloseCode.TRY_LATER if error.retryable else CloseCode.WHO_ARE_YOU
    await websocket.close(code, error.message)


def _bind(connection: Connection, username: str | None) -> None:
    """Take the name of the query; one that is no name is answered and not taken."""
    if not username:
        return
    try:
        connection.bind(msgspec.convert({"username": username}, SetUsername).username)
    except msgspec.ValidationError as error:
        connection.refuse(None, ChatError("bad_request", f"username: {error}"))
