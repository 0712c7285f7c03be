"""Performs an action of REST for the user of an HTTP request."""

from collections.abc import Awaitable, Callable
from types import CoroutineType

from starlette.requests import Request

from gateway.access.identity import bearer_token, refuse_token_in_query
from gateway.access.tokens import Bearer
from gateway.api import login
from gateway.api.actions import REQUESTS, perform
from gateway.api.gateway import Gateway
from gateway.api.handlers.requests import BearerPrincipal
from gateway.endpoints.guard import address_of
from shared.errors import ChatError
from shared.model.commands import Command
from shared.trail import LoginError
from shared.trail.events import Login


async def ask(request: Request, action: str, command: Callable[[], Awaitable[Command]]) -> object:
    """Find the user of a request, read its command, and perform its action.

    Args:
        request: the HTTP request, with its token if it has one.
        action: of `REQUESTS`.
        command: reads the command. It is called only once the user is known, so a client
            without a token cannot make the gateway read a body.

    Raises:
        ChatError: `unauthorized`; `overloaded` where the keys of tokens cannot be had now; or what
            the command and the action raise.
    """
    gateway: Gateway = request.app.state.gateway
    address = address_of(request.scope)
    try:
        bearer = await _bearer(gateway, request)
    except ChatError as error:
        login.note_refused(gateway, error, address, "rest")
        raise
    requester = BearerPrincipal(bearer, address)
    if bearer is not None:
        event = Login(user=bearer.user, how="token", address=address, transport="rest")
        gateway.access.trail.note_first(event, requester.source)
    outcome = perform(gateway, REQUESTS[action].action, requester, await command())
    return await outcome if isinstance(outcome, CoroutineType) else outcome


async def _bearer(gateway: Gateway, request: Request) -> Bearer | None:
    """Return the bearer that `Authorization` names; None where no token is required."""
    refuse_token_in_query(request.query_params)
    identity = gateway.access.identity
    if not identity.required:
        return None
    token = bearer_token(request.headers.get("authorization"))
    if token is None:
        raise LoginError("token_missing", "send a token: `Authorization: Bearer <token>`")
    return await identity.by_token(token)
