"""`/tickets`: for browsers, which cannot put a header into a WebSocket's handshake."""

from http import HTTPStatus

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from gateway.endpoints.responses import reply
from gateway.endpoints.rest.asking import ask
from shared.model.commands import GetTicket


class Tickets(HTTPEndpoint):
    """`/tickets`."""

    async def post(self, request: Request) -> Response:
        """Give a ticket to the user of the request's token."""

        async def command() -> GetTicket:
            return GetTicket()

        answer = reply(await ask(request, "POST /tickets", command), HTTPStatus.CREATED)
        answer.headers["Cache-Control"] = "no-store"
        return answer
