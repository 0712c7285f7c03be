"""Requests that act on a gateway's operator's port; see `shared/operator/acting.py`."""

import signal
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.api.gateway import Gateway
from gateway.endpoints.guard import address_of
from shared.errors import ChatError
from shared.operator.acting import Answer, check_acting, done, failed
from shared.trail import Source
from shared.trail.events import OperatorAction, OperatorRefused

Act = Callable[[Request], Awaitable[Answer]]
"""Does what a request asks for. It may raise `ChatError`."""


def acting_route(path: str, gateway: Gateway, act: Act) -> Route:
    """Make the route of `POST PATH`, which acts only for who has the operator's secret.

    Args:
        path: on the operator's port.
        gateway: knows the secret, and its trail gets what was done or refused.
        act: called with requests that may act.
    """
    trail, action = gateway.access.trail, f"POST {path}"

    async def endpoint(request: Request) -> Response:
        address = address_of(request.scope)
        try:
            check_acting(gateway.settings.operator_secret, request.headers.get)
        except ChatError as error:
            event = OperatorRefused(action=action, reason=error.code, address=address)
            trail.note(event, Source.at(address))
            return _response(failed(error))
        try:
            answer = await act(request)
        except ChatError as error:
            answer = failed(error)
        done_to, error_code = answer.on, answer.error
        trail.note(OperatorAction(action=action, on=done_to, address=address, error=error_code))
        return _response(answer)

    return Route(path, endpoint, methods=["POST"])


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers, "application/json")


def drain_route(gateway: Gateway) -> Route:
    """Make the route of `POST /drain`: the gateway sends its clients away, and ends.

    It does what SIGTERM does. A supervisor starts it again.
    """

    async def drain(_request: Request) -> Answer:
        # Its handler only notes that the server shall end, so that the answer goes out before.
        signal.raise_signal(signal.SIGTERM)
        name, seconds = gateway.settings.gateway_name, gateway.settings.drain_seconds
        return done({"draining": name, "seconds": seconds}, HTTPStatus.ACCEPTED)

    return acting_route("/drain", gateway, drain)
