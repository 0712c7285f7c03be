"""`/tickets`: for browsers, which cannot put a header into a WebSocket's handshake."""

from http import HTTPStatus

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.identity import TICKET_SECONDS
from gateway.api.services import Services
from gateway.endpoints.responses import reply
from gateway.endpoints.rest.credentials import who
from shared.errors import ChatError


class Ticket(msgspec.Struct, frozen=True, rename="camel"):
    """A ticket.

    Attributes:
        ticket: what `/ws?ticket=` takes, once.
        expires_in: seconds that it is good for.
    """

    ticket: str
    expires_in: int


class Tickets(HTTPEndpoint):
    """`/tickets`."""

    async def post(self, request: Request) -> Response:
        """Give a ticket to whoever shows who they are."""
        services: Services = request.app.state.services
        bearer = await who(request)
        if bearer is None:
            raise ChatError("not_found", "tickets are for AUTH_MODE=jwt")
        ticket = Ticket(await services.identity.ticket(bearer), TICKET_SECONDS)
        answer = reply(ticket, HTTPStatus.CREATED)
        answer.headers["Cache-Control"] = "no-store"
        return answer
