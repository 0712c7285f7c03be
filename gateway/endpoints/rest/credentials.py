"""Who a request is from."""

from starlette.requests import Request

from gateway.access.identity import bearer_token, refuse_token_in_query
from gateway.access.tokens import Bearer
from gateway.api.services import Services
from shared.errors import ChatError


async def who(request: Request) -> Bearer | None:
    """Whom a request's `Authorization` names; None where nobody has to say who they are.

    Raises:
        ChatError: `unauthorized`; `overloaded` where the keys cannot be had now.
    """
    services: Services = request.app.state.services
    refuse_token_in_query(request.query_params)
    if not services.identity.wanted:
        return None
    token = bearer_token(request.headers.get("authorization"))
    if token is None:
        raise ChatError("unauthorized", "say who you are: `Authorization: Bearer <token>`")
    return await services.identity.by_token(token)
