"""Showing who one is, with AUTH_MODE=jwt, and being let in: the one way in for WebSockets."""

from gateway.access.identity import seconds_left
from gateway.access.tokens import Bearer
from gateway.api.handlers import people
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.connections.deadlines import IDENTIFY_WITHIN, let_go
from gateway.protocols.close_codes import CloseCode
from gateway.protocols.payloads import AuthenticatedPayload
from shared.errors import ChatError
from shared.model import commands


async def authenticate(
    services: Services, connection: Connection, command: commands.Authenticate
) -> AuthenticatedPayload:
    """Show who one is by a token, or bring a fresh one before the last expires.

    Raises:
        ChatError: `unauthorized`, and the connection ends; `forbidden` for a token of somebody
            else; `overloaded` where the keys cannot be had now; `bad_request` in `open`.
    """
    try:
        bearer = await services.identity.by_token(command.token)
    except ChatError as error:
        if error.code == "unauthorized":
            connection.end(CloseCode.WHO_ARE_YOU)
        raise
    if connection.on_end is None:
        raise ChatError("unauthorized", "the connection is ending")
    if connection.entrance is not None:
        enter(services, connection, bearer)
    elif bearer.user != connection.username:
        raise ChatError("forbidden", "the token is for another user than the connection")
    else:
        services.deadlines.expire(connection, bearer.expires)
    return AuthenticatedPayload(bearer.user, seconds_left(bearer))


def enter(services: Services, connection: Connection, bearer: Bearer) -> None:
    """Let a connection in, now that it is known who it is; everyone is told.

    Raises:
        ChatError: `forbidden` for one that says it is somebody else, and it ends.
    """
    entrance = connection.entrance
    if entrance is None:
        return
    if entrance.claims not in {None, bearer.user}:
        connection.end(CloseCode.NOT_ALLOWED)
        raise ChatError("forbidden", "that is not the name of whoever connects")
    connection.entrance = None
    connection.become(bearer.user)
    services.deadlines.expire(connection, bearer.expires)
    if entrance.welcome:
        people.welcome(services, connection)
    people.came(services, connection)


def admit(services: Services, connection: Connection) -> None:
    """Let a connection in that says something else than who it is: as a guest, or not at all.

    Raises:
        ChatError: `unauthorized`; `forbidden` as of `enter`.
    """
    if not services.identity.guests:
        raise ChatError("unauthorized", "say who you are first: `authenticate {token}`")
    enter(services, connection, services.identity.guest())


def late(services: Services, connection: Connection) -> None:
    """A connection has not said who it is in time: it is a guest, or is let go."""
    if not services.identity.guests:
        reason = f"say who you are within {IDENTIFY_WITHIN:g} s"
        let_go(connection, CloseCode.NO_IDENTITY_IN_TIME, reason)
        return
    try:
        admit(services, connection)
    except ChatError as error:
        connection.refuse(None, error)
