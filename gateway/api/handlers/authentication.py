"""Handler of `authenticate`, with AUTH_MODE=jwt."""

from gateway.access.identity import seconds_left
from gateway.api import login
from gateway.api.gateway import Gateway
from gateway.api.targets import Target
from gateway.connections.connection import Connection, State
from gateway.protocols.payloads import AuthenticatedPayload
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands
from shared.protocol.closes import CloseCode
from shared.trail import LoginError


async def authenticate(
    gateway: Gateway, client: Client, command: commands.Authenticate, _target: Target
) -> AuthenticatedPayload:
    """Log a client in by a token, or extend its connection by a fresh token.

    Raises:
        ChatError: `unauthorized`, and the connection is closed; `forbidden` for another user's
            token; `overloaded` if the keys cannot be fetched now, `storage_unavailable` if the
            revoked tokens cannot be read; `bad_request` with AUTH_MODE=open.
    """
    connection = client.connection
    # Before the token is verified: a bad one ends the connection, and those behind it cost nothing.
    _check_open(connection)
    try:
        bearer = await gateway.access.identity.by_token(command.token)
    except ChatError as error:
        if error.code == "unauthorized":
            connection.end(CloseCode.UNAUTHORIZED)
        raise
    _check_open(connection)
    if client.login is not None:
        login.login(gateway, client, bearer, "token")
    elif bearer.user != client.username:
        text = "the token is for another user than the connection"
        raise LoginError("name_mismatch", text, "forbidden", bearer.user)
    else:
        login.hold(gateway, client, bearer)
    return AuthenticatedPayload(bearer.user, seconds_left(bearer))


def _check_open(connection: Connection) -> None:
    """Check that a connection may still log in.

    Raises:
        ChatError: `unauthorized`.
    """
    if connection.state is not State.OPEN:
        raise ChatError("unauthorized", "the connection is being closed")
