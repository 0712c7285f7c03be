"""HTTP responses in JSON, and errors as `{statusCode, error, message}`."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.rates.limits import retry_after
from gateway.protocols.refusals import ERRORS
from shared.errors import ChatError
from shared.protocol.errors import Code
from shared.telemetry import logger

STATUS: Final[dict[Code, HTTPStatus]] = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "not_found": HTTPStatus.NOT_FOUND,
    "forbidden": HTTPStatus.FORBIDDEN,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "broker_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

log = logger(__name__)


class ErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """Error of a REST request.

    Attributes:
        status_code: the HTTP status.
        error: the phrase of the HTTP status.
        message: sentence for a person.
    """

    status_code: int
    error: str
    message: str


def reply(data: object, status: int = HTTPStatus.OK) -> Response:
    """Make a JSON response."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def error_reply(
    status: HTTPStatus, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Make a JSON response for an error."""
    body = msgspec.json.encode(ErrorBody(status, status.phrase, message))
    return Response(body, status, headers, media_type="application/json")


async def http_error(request: Request, error: Exception) -> Response:
    """Answer an error of Starlette's, such as an unknown path or method."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted({*headers["Allow"].split(", "), "OPTIONS"}))
        if request.method == "OPTIONS":  # which no route handles: the methods are the answer
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return error_reply(HTTPStatus(error.status_code), error.detail, headers)


async def server_error(request: Request, error: Exception) -> Response:
    """Answer an unexpected exception with 500. The log has its details, the answer has none."""
    log.error("request failed", path=request.url.path, exc_info=error)
    message = "internal error"
    return error_reply(HTTPStatus.INTERNAL_SERVER_ERROR, message)


async def chat_error(_request: Request, error: Exception) -> Response:
    """Answer an error with a code that a handler raised."""
    if not isinstance(error, ChatError):
        raise error
    return chat_reply(error)


def chat_reply(error: ChatError) -> Response:
    """Make the response for an error with a code."""
    ERRORS.add(error.code)
    status = STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"Retry-After": retry_after(error)} if error.retryable else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return error_reply(status, error.message, headers)
