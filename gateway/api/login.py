"""Login of clients: the one place where a client gets its name, claimed or proved."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, NamedTuple

import msgspec

from gateway.access.guests import guest_subject
from gateway.access.tokens import Bearer
from gateway.access.user_names import check_free
from gateway.api import lifecycle
from gateway.api.gateway import Gateway
from gateway.connections.connection import State
from gateway.connections.deadlines import close_unidentified
from gateway.rooms.client import Client, PendingLogin
from shared.errors import ChatError
from shared.model.commands import SetUsername
from shared.protocol.closes import CloseCode
from shared.protocol.limits import IDENTIFY_SECONDS
from shared.trail import LoginError, Source, events
from shared.trail.events import How

_tasks: Final[set[asyncio.Task[None]]] = set()


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


def login(gateway: Gateway, client: Client, bearer: Bearer, how: How) -> None:
    """Log in a client that has proved its name, and announce it.

    Args:
        gateway: the gateway that the client is connected to.
        client: has an open connection.
        bearer: the user that it has proved to be.
        how: what it showed.

    Raises:
        ChatError: `forbidden` for a client that gave another name when it connected; its connection
            is closed.
    """
    pending = client.login
    if pending is None:
        return
    try:
        prove(gateway, client, bearer, how, pending.claims)
    except ChatError:
        client.connection.end(CloseCode.FORBIDDEN)
        raise
    client.login = None
    hold(gateway, client, bearer)
    if pending.welcome:
        lifecycle.welcome(gateway, client)
    lifecycle.connected(gateway, client)


def hold(gateway: Gateway, client: Client, bearer: Bearer) -> None:
    """Let a client stay until the token that it has shown expires or is revoked."""
    client.bearer = bearer
    gateway.clients.deadlines.expire(client.connection, bearer.expires)


def guest(gateway: Gateway) -> Bearer:
    """Make a guest for a client that does not prove its name.

    Raises:
        ChatError: `unauthorized` where guests are not allowed.
    """
    if not gateway.access.identity.guests_allowed:
        raise LoginError("token_missing", "log in first: send `authenticate {token}`")
    return gateway.access.identity.guest()


async def enter_as_guest(gateway: Gateway, client: Client, bearer: Bearer) -> None:
    """Log a client in as a guest, if its address may be one more.

    Args:
        gateway: the gateway that the client is connected to.
        client: a client that is not logged in.
        bearer: a new guest.

    Raises:
        ChatError: `rate_limited`, and the connection is closed; `unauthorized` if it is being
            closed; the errors of `login`.
    """
    if client.login is None:
        return
    async with client.login.entering:
        if client.login is not None:
            await _enter_as_guest(gateway, client, bearer)


async def _enter_as_guest(gateway: Gateway, client: Client, bearer: Bearer) -> None:
    connection, places = client.connection, gateway.cluster.guests
    if connection.state is not State.OPEN:
        raise ChatError("unauthorized", "the connection is being closed")
    try:
        if gateway.access.limits is not None:
            await gateway.access.limits.connect_user(guest_subject(client.address), client)
        await places.take(client, bearer.user)
    except ChatError:
        connection.end(CloseCode.TOO_MANY_REQUESTS)
        raise
    if connection.state is State.OPEN:
        login(gateway, client, bearer, "guest")
    if not client.is_guest:
        places.leave(client)  # it has ended, or shown a token, meanwhile


def prove(gateway: Gateway, client: Client, bearer: Bearer, how: How, claims: object) -> None:
    """Bind the name that a client proved.

    Args:
        gateway: the gateway that the client is connected to.
        client: gets the bearer's name, if it has none yet.
        bearer: the user that the client's token or ticket names.
        how: what it showed.
        claims: the name that the client gave when it connected; empty or None for none.

    Raises:
        ChatError: `forbidden` if `claims` is another name.
    """
    if claims and str(claims) != bearer.user:
        text = "the username is not the one in the token"
        raise LoginError("name_mismatch", text, "forbidden", bearer.user)
    bind(gateway, client, bearer.user, how)


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
        check_free(typed)
        return Claim(given, await gateway.access.user_names.find(typed))
    except msgspec.ValidationError as error:
        return Claim(given, error=ChatError("bad_request", f"username: {error}"))
    except ChatError as error:
        return Claim(given, error=ChatError(error.code, f"username: {error.message}"))


def claim(gateway: Gateway, client: Client, claims: Claim) -> None:
    """Bind the name that a client gives, with AUTH_MODE=open."""
    if claims.user is not None:
        client.given_name = claims.given
        bind(gateway, client, claims.user, "name")


def refuse_claim(client: Client, claims: Claim) -> None:
    """Send a client the error for the name that it gave, if there is one."""
    if claims.error is not None:
        client.connection.refuse(None, claims.error)


def bind(gateway: Gateway, client: Client, username: str, how: How) -> None:
    """Bind a name to a client; the first one cannot be changed.

    The connection counts towards the user's rate. It is closed if the user has connected too often.
    While a connection is still being opened, its opener counts it (`count_connection`) and writes
    its login to the trail; guests are counted before they have a name (`enter_as_guest`).

    Raises:
        ChatError: `forbidden` for another name than the client's own; `bad_request` for one that is
            nobody's to take.
    """
    is_new = client.username is None
    if is_new and not client.proven:
        check_free(username)
    client.bind(username)
    if is_new:
        gateway.access.acquaintance.note(username)
        gateway.cluster.attendance.renamed(client)
    is_opening = client.connection.state is State.OPENING
    if is_new and not is_opening:
        note_login(gateway, client, how)
    is_counted = client.is_guest or is_opening
    if is_new and gateway.access.limits and not is_counted:
        _start(_count_and_tell(gateway, client))


async def count_connection(gateway: Gateway, client: Client) -> None:
    """Count one connection of a client's user.

    Raises:
        ChatError: `rate_limited`.
    """
    if client.username is not None and gateway.access.limits is not None:
        await gateway.access.limits.connect_user(client.rate_subject, client)


async def _count_and_tell(gateway: Gateway, client: Client) -> None:
    try:
        await count_connection(gateway, client)
    except ChatError as error:
        client.connection.refuse(None, error)
        client.connection.end(CloseCode.TOO_MANY_REQUESTS)


def note_login(gateway: Gateway, client: Client, how: How) -> None:
    """Write to the trail that a client has got its user, if it has one."""
    if client.username is None:
        return
    user, address = client.display_name, client.address
    event = events.Login(user=user, how=how, address=address, transport=_transport(client))
    gateway.access.trail.note(event, client.source)


def note_refusal(gateway: Gateway, client: Client, error: ChatError) -> None:
    """Write to the trail that a client was not let in."""
    note_refused(gateway, error, client.address, _transport(client))


def note_refused(
    gateway: Gateway, error: ChatError, address: str, transport: events.Transport
) -> None:
    """Write to the trail that a connection or request was not let in, if that is the error."""
    if not isinstance(error, LoginError):
        return
    event = events.LoginRefused(
        reason=error.refusal, address=address, transport=transport, user=error.user
    )
    gateway.access.trail.note(event, Source.at(address))


def _transport(client: Client) -> events.Transport:
    is_socketio = client.connection.wire.name.startswith("socket.io")
    return "socket.io" if is_socketio else "websocket"


def _late(gateway: Gateway, client: Client) -> None:
    """Make a client that did not log in in time a guest, or close its connection."""
    if not gateway.access.identity.guests_allowed:
        reason = f"log in within {IDENTIFY_SECONDS:g} s"
        note_refusal(gateway, client, LoginError("not_in_time", reason))
        close_unidentified(client.connection, CloseCode.IDENTITY_TIMEOUT, reason)
        return
    _start(_enter_late(gateway, client))


async def _enter_late(gateway: Gateway, client: Client) -> None:
    try:
        await enter_as_guest(gateway, client, guest(gateway))
    except ChatError as error:
        client.connection.refuse(None, error)


def _start(work: Coroutine[Any, Any, None]) -> None:
    """Run work in a task that is kept until it has ended."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
