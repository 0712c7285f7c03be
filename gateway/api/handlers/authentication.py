"""Handler of `authenticate`, with AUTH_MODE=jwt."""

from gateway.access.identity import seconds_left
from gateway.api import login
from gateway.api.gateway import Gateway
from gateway.api.targets import Target
from gateway.connections.connection import State
from gateway.protocols.payloads import AuthenticatedPayload
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands
from shared.protocol.closes import CloseCode


async def authenticate(
    gateway: Gateway, client: Client, command: commands.Authenticate, _target: Target
) -> AuthenticatedPayload:
    """Log a client in by a token, or extend its connection by a fresh token.

    Raises:
        ChatError: `unauthorized`, and the connection is closed; `forbidden` for another user's
            token; `overloaded` if the keys cannot be fetched now; `bad_request` with
            AUTH_MODE=open.
    """
    connection = client.connection
    try:
        bearer = await gateway.access.identity.by_token(command.token)
    except ChatError as error:
        if error.code == "unauthorized":
            connection.end(CloseCode.UNAUTHORIZED)
        raise
    if connection.state is not State.OPEN:
        raise ChatError("unauthorized", "the connection is being closed")
    if client.login is not None:
        login.login(gateway, client, bearer)
    elif bearer.user != client.username:
        raise ChatError("forbidden", "the token is for another user than the connection")
    else:
        gateway.clients.deadlines.expire(connection, bearer.expires)
    return AuthenticatedPayload(bearer.user, seconds_left(bearer))
