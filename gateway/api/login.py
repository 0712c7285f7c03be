"""Login of clients: the one place where a client gets its name, claimed or proved."""

import asyncio
from typing import Final, NamedTuple

import msgspec

from gateway.access.tokens import Bearer
from gateway.api import lifecycle
from gateway.api.gateway import Gateway
from gateway.connections.connection import State
from gateway.connections.deadlines import close_unidentified
from gateway.rooms.client import Client, PendingLogin
from shared.errors import ChatError
from shared.model.commands import SetUsername
from shared.protocol.closes import CloseCode
from shared.protocol.limits import IDENTIFY_SECONDS

_counting: Final[set[asyncio.Task[None]]] = set()


class Claim(NamedTuple):
    """The name that a client gives as it connects.

    Attributes:
        given: the name as it was sent; None where the client gives none.
        user: the user whom it stands for, with AUTH_MODE=open.
        error: what is wrong with it.
    """

    given: str | None = None
    user: str | None = None
    error: ChatError | None = None


def begin(gateway: Gateway, client: Client, claims: Claim, *, welcome: bool) -> None:
    """Log a client in whose WebSocket is open, or with AUTH_MODE=jwt wait until it proves its name.

    Args:
        gateway: the gateway that the client is connected to.
        client: a client whose connection was just opened.
        claims: the name that the client gives.
        welcome: True if the client asked for `welcome`.
    """
    if not gateway.access.identity.required:
        claim(gateway, client, claims)
        if welcome:
            lifecycle.welcome(gateway, client)
        refuse_claim(client, claims)
        lifecycle.connected(gateway, client)
        return
    client.login = PendingLogin(claims.given, welcome)
    gateway.clients.deadlines.expect(client.connection, lambda: _late(gateway, client))


def login(gateway: Gateway, client: Client, bearer: Bearer) -> None:
    """Log in a client that has proved its name, and announce it.

    Raises:
        ChatError: `forbidden` for a client that gave another name when it connected; its connection
            is closed.
    """
    pending = client.login
    if pending is None:
        return
    try:
        prove(gateway, client, bearer, pending.claims)
    except ChatError:
        client.connection.end(CloseCode.FORBIDDEN)
        raise
    client.login = None
    gateway.clients.deadlines.expire(client.connection, bearer.expires)
    if pending.welcome:
        lifecycle.welcome(gateway, client)
    lifecycle.connected(gateway, client)


def guest(gateway: Gateway) -> Bearer:
    """Make a guest for a client that does not prove its name.

    Raises:
        ChatError: `unauthorized` where guests are not allowed.
    """
    if not gateway.access.identity.guests_allowed:
        raise ChatError("unauthorized", "log in first: send `authenticate {token}`")
    return gateway.access.identity.guest()


def prove(gateway: Gateway, client: Client, bearer: Bearer, claims: object) -> None:
    """Bind the name that a client proved.

    Args:
        gateway: the gateway that the client is connected to.
        client: gets the bearer's name, if it has none yet.
        bearer: the user that the client's token or ticket names.
        claims: the name that the client gave when it connected; empty or None for none.

    Raises:
        ChatError: `forbidden` if `claims` is another name.
    """
    if claims and str(claims) != bearer.user:
        raise ChatError("forbidden", "the username is not the one in the token")
    bind(gateway, client, bearer.user)


async def read_claim(gateway: Gateway, username: object) -> Claim:
    """Find the user whose name a client gives as it connects.

    Args:
        gateway: the gateway that the client connects to.
        username: as the client sent it, of any type; an empty value counts as none.
    """
    if not username:
        return Claim()
    given = str(username)
    if gateway.access.identity.required:
        return Claim(given)
    try:
        typed = msgspec.convert({"username": username}, SetUsername).username
        return Claim(given, await gateway.access.user_names.find(typed))
    except msgspec.ValidationError as error:
        return Claim(given, error=ChatError("bad_request", f"username: {error}"))
    except ChatError as error:
        return Claim(given, error=ChatError(error.code, f"username: {error.message}"))


def claim(gateway: Gateway, client: Client, claims: Claim) -> None:
    """Bind the name that a client gives, with AUTH_MODE=open."""
    if claims.user is not None:
        client.given_name = claims.given
        bind(gateway, client, claims.user)


def refuse_claim(client: Client, claims: Claim) -> None:
    """Send a client the error for the name that it gave, if there is one."""
    if claims.error is not None:
        client.connection.refuse(None, claims.error)


def bind(gateway: Gateway, client: Client, username: str) -> None:
    """Bind a name to a client; the first one cannot be changed.

    The connection counts towards the user's rate. It is closed if the user has connected too often.
    While a connection is still being opened, its opener counts it (`count_connection`).

    Raises:
        ChatError: `forbidden` for another name than the client's own.
    """
    is_new = client.username is None
    client.bind(username)
    if is_new:
        gateway.access.acquaintance.note(username)
        gateway.cluster.attendance.renamed(client)
    if is_new and gateway.access.limits and client.connection.state is not State.OPENING:
        task = asyncio.create_task(_count_and_tell(gateway, client))
        _counting.add(task)
        task.add_done_callback(_counting.discard)


async def count_connection(gateway: Gateway, client: Client) -> None:
    """Count one connection of a client's user.

    Raises:
        ChatError: `rate_limited`.
    """
    if client.username is not None and gateway.access.limits is not None:
        await gateway.access.limits.connect_user(client.username)


async def _count_and_tell(gateway: Gateway, client: Client) -> None:
    try:
        await count_connection(gateway, client)
    except ChatError as error:
        client.connection.refuse(None, error)
        client.connection.end(CloseCode.TOO_MANY_REQUESTS)


def _late(gateway: Gateway, client: Client) -> None:
    """Make a client that did not log in in time a guest, or close its connection."""
    if not gateway.access.identity.guests_allowed:
        reason = f"log in within {IDENTIFY_SECONDS:g} s"
        close_unidentified(client.connection, CloseCode.IDENTITY_TIMEOUT, reason)
        return
    try:
        login(gateway, client, guest(gateway))
    except ChatError as error:
        client.connection.refuse(None, error)
