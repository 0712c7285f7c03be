"""`/ws`: JSON or MessagePack frames over a WebSocket (RFC 6455)."""

from typing import Final

from starlette.websockets import WebSocket

from gateway.access.identity import bearer_token
from gateway.api import login
from gateway.api.gateway import Gateway
from gateway.api.session import ClientSession
from gateway.connections.websocket import ADOPT, Adopt, WebSocketLink
from gateway.endpoints.guard import address_of
from gateway.protocols.frames import Format, Outgoing
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from shared.errors import ChatError
from shared.protocol.closes import CloseCode
from shared.trail.events import How

FORMATS: Final[dict[str, Format]] = {wire.name: wire for wire in (JSON, MSGPACK)}


async def chat(websocket: WebSocket) -> None:
    """Accept a WebSocket, and hand its connection to a client session.

    The token or ticket of the request is checked before the handshake is answered. After the
    answer the client may send at once, so nothing may wait between `accept` and `adopt`
    (decision 040).
    """
    gateway: Gateway = websocket.app.state.gateway
    query = websocket.query_params
    bearer = refusal = None
    claims = login.Claim()
    try:
        token, ticket = bearer_token(websocket.headers.get("authorization")), query.get("ticket")
        bearer = await gateway.access.identity.identify(query, token=token, ticket=ticket)
        claims = await login.read_claim(gateway, query.get("username"))
    except ChatError as error:
        refusal = error
        login.note_refused(gateway, error, address_of(websocket.scope), "websocket")
    offered = websocket.scope.get("subprotocols", [])
    chosen = next((name for name in offered if name in FORMATS), None)
    await websocket.accept(subprotocol=chosen)
    if gateway.cluster.readiness.draining:
        await websocket.close(CloseCode.SERVICE_RESTART, "this gateway is shutting down")
        return
    wire = FORMATS[chosen] if chosen else JSON
    if refusal is not None:
        await _refuse(websocket, wire, refusal)
        return

    address, intakes = address_of(websocket.scope), gateway.clients.intakes

    def begin(link: WebSocketLink) -> ClientSession:
        session = ClientSession(gateway, wire, link, address)
        session.client.durable = query.get("durable") == "1"
        session.accept()
        welcome = query.get("welcome") == "1"
        login.begin(gateway, session.client, claims, welcome=welcome)
        if bearer is not None:
            try:
                how: How = "ticket" if query.get("ticket") else "token"
                login.login(gateway, session.client, bearer, how)
            except ChatError as error:
                login.note_refusal(gateway, session.client, error)
                session.client.connection.refuse(None, error)
        return session

    adopt: Adopt = websocket.scope["extensions"][ADOPT]
    adopt(begin, intakes.open(address) if intakes else None)


async def _refuse(websocket: WebSocket, wire: Format, error: ChatError) -> None:
    """Send an error and close. The WebSocket was accepted so that the client can read the error.

    A browser tells a page nothing of a refused handshake: neither its status nor its body.
    """
    packed = wire.encode(Outgoing("error", data=error.payload()))
    if wire.text:
        await websocket.send_text(packed.decode())
    else:
        await websocket.send_bytes(packed)
    code = CloseCode.TRY_AGAIN_LATER if error.retryable else CloseCode.UNAUTHORIZED
    await websocket.close(code, error.message)
