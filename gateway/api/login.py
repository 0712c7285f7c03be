"""Who a client is: the one place where it gets its name, however it says or proves it."""

import asyncio
from typing import Final

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


def begin(gateway: Gateway, client: Client, claims: object, *, welcome: bool) -> None:
    """Take in a client whose WebSocket is open: by what it says, or until it proves who it is.

    Args:
        gateway: where it is connected.
        client: the client.
        claims: the name that it says it has, if it says one.
        welcome: whether it wants to be told where it is.
    """
    if not gateway.access.identity.required:
        if welcome:
            lifecycle.welcome(gateway, client)
        claim(gateway, client, claims)
        lifecycle.connected(gateway, client)
        return
    client.login = PendingLogin(str(claims) if claims else None, welcome)
    gateway.clients.deadlines.expect(client.connection, lambda: _late(gateway, client))


def login(gateway: Gateway, client: Client, bearer: Bearer) -> None:
    """Let a client in that proved who it is; everyone is told.

    Raises:
        ChatError: `forbidden` for a client that says it is somebody else, and it ends.
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
    """A new guest, for a client that proves nothing.

    Raises:
        ChatError: `unauthorized` where guests are not let in.
    """
    if not gateway.access.identity.guests_allowed:
        raise ChatError("unauthorized", "say who you are first: `authenticate {token}`")
    return gateway.access.identity.guest()


def prove(gateway: Gateway, client: Client, bearer: Bearer, claims: object) -> None:
    """Give a client the name that it proved.

    Args:
        gateway: where it is connected.
        client: the client.
        bearer: whom its token or ticket names.
        claims: the name that it says it has, if it says one.

    Raises:
        ChatError: `forbidden` for another name.
    """
    if claims and str(claims) != bearer.user:
        raise ChatError("forbidden", "that is not the name of whoever connects")
    bind(gateway, client, bearer.user)


def claim(gateway: Gateway, client: Client, username: object) -> None:
    """Give a client the name that it says it has; one that is no name is answered, not taken."""
    if not username:
        return
    try:
        name = msgspec.convert({"username": username}, SetUsername).username
    except msgspec.ValidationError as error:
        client.connection.refuse(None, ChatError("bad_request", f"username: {error}"))
    else:
        bind(gateway, client, name)


def bind(gateway: Gateway, client: Client, username: str) -> None:
    """Bind a name to a client; the first one stays.

    Whose user has connected too often is told so and closed. A client that is still being let in
    is counted by whoever lets it in (`count_connection`).

    Raises:
        ChatError: `forbidden` for another name than the client's own.
    """
    is_new = client.username is None
    client.bind(username)
    if is_new and gateway.access.limits and client.connection.state is not State.OPENING:
        task = asyncio.create_task(_count_and_tell(gateway, client))
        _counting.add(task)
        task.add_done_callback(_counting.discard)


async def count_connection(gateway: Gateway, client: Client) -> None:
    """Count that a client's user has connected once more.

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
    """A client has not said who it is in time: it is a guest, or is let go."""
    if not gateway.access.identity.guests_allowed:
        reason = f"say who you are within {IDENTIFY_SECONDS:g} s"
        close_unidentified(client.connection, CloseCode.IDENTITY_TIMEOUT, reason)
        return
    try:
        login(gateway, client, guest(gateway))
    except ChatError as error:
        client.connection.refuse(None, error)
