"""Asks for an action of REST on behalf of whoever a request is from."""

from collections.abc import Awaitable, Callable
from types import CoroutineType

from starlette.requests import Request

from gateway.access.identity import bearer_token, refuse_token_in_query
from gateway.access.tokens import Bearer
from gateway.api.actions import REQUESTS, perform
from gateway.api.gateway import Gateway
from gateway.api.handlers.requests import BearerPrincipal
from shared.errors import ChatError
from shared.model.commands import Command


async def ask(request: Request, action: str, command: Callable[[], Awaitable[Command]]) -> object:
    """Find out who a request is from, read its command, and do what it asks.

    Args:
        request: the HTTP request, with its token if it has one.
        action: of `REQUESTS`.
        command: reads the command; of nobody who has to say who they are and does not.

    Raises:
        ChatError: `unauthorized`; `overloaded` where the keys of tokens cannot be had now; or what
            the command and the action raise.
    """
    gateway: Gateway = request.app.state.gateway
    requester = BearerPrincipal(await _bearer(gateway, request))
    outcome = perform(gateway, REQUESTS[action].action, requester, await command())
    return await outcome if isinstance(outcome, CoroutineType) else outcome


async def _bearer(gateway: Gateway, request: Request) -> Bearer | None:
    """Return whom a request's `Authorization` names; None where no token is required."""
    refuse_token_in_query(request.query_params)
    identity = gateway.access.identity
    if not identity.required:
        return None
    token = bearer_token(request.headers.get("authorization"))
    if token is None:
        raise ChatError("unauthorized", "say who you are: `Authorization: Bearer <token>`")
    return await identity.by_token(token)
