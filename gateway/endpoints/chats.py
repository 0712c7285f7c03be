"""REST for direct chats: the handlers of the WebSocket, with the second seed's answers."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.endpoints.access import who
from gateway.handlers import chats
from gateway.protocols.payloads import chat_payload
from gateway.services import Services
from shared.errors import ChatError, Code
from shared.model.commands import CreateChat, UserOnline
from shared.telemetry import logger

MOST_BODY: Final = 65_536
"""Bytes of a request's body."""

STATUS: Final[dict[Code, HTTPStatus]] = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "not_found": HTTPStatus.NOT_FOUND,
    "forbidden": HTTPStatus.FORBIDDEN,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "broker_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

log = logger(__name__)


class ErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """What an error looks like."""

    status_code: int
    error: str
    message: str


def reply(data: object, status: int = HTTPStatus.OK) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def error_reply(
    status: HTTPStatus, message: str, headers: dict[str, str] | None = None
) -> Response:
    """A JSON error, as the second seed's clients expect it."""
    body = msgspec.json.encode(ErrorBody(status, status.phrase, message))
    return Response(body, status, headers, media_type="application/json")


async def http_error(_request: Request, error: Exception) -> Response:
    """What Starlette refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers) if error.headers else None
    return error_reply(HTTPStatus(error.status_code), error.detail, headers)


async def server_error(request: Request, error: Exception) -> Response:
    """A bug of ours: logged here, never shown."""
    log.error("request failed", path=request.url.path, exc_info=error)
    message = "something went wrong on our side"
    return error_reply(HTTPStatus.INTERNAL_SERVER_ERROR, message)


async def chat_error(_request: Request, error: Exception) -> Response:
    """What a handler refuses."""
    if not isinstance(error, ChatError):
        raise error
    status = STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"Retry-After": "1"} if error.retryable else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return error_reply(status, error.message, headers)


class Chats(HTTPEndpoint):
    """`/chats`."""

    async def post(self, request: Request) -> Response:
        """Make the chat of two users, or find it; who has to say who they are, one of them."""
        bearer = await who(request)
        try:
            command = msgspec.json.decode(await _body(request), type=CreateChat)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ChatError("bad_request", str(error) or "nested too deeply") from None
        users = (str(command.user1_id), str(command.user2_id))
        if bearer is not None and bearer.user not in users:
            raise ChatError("forbidden", "one makes chats of one's own")
        payload, _ = await chats.make_chat(_services(request), *users)
        return reply(payload, HTTPStatus.CREATED)


class Chat(HTTPEndpoint):
    """`/chats/{chat}`."""

    async def get(self, request: Request) -> Response:
        """A chat."""
        bearer = await who(request)
        chat_id = _chat_id(request)
        return reply(chat_payload(await chats.find_chat(_services(request), chat_id, bearer)))

    async def delete(self, request: Request) -> Response:
        """Delete a chat with all it held."""
        bearer = await who(request)
        await chats.delete_chat(_services(request), _chat_id(request), bearer)
        return Response(b"", HTTPStatus.OK)


class ChatsOfUser(HTTPEndpoint):
    """`/chats/user/{user}`."""

    async def get(self, request: Request) -> Response:
        """The chats of a user: oneself, for whoever has to say who they are."""
        bearer = await who(request)
        try:
            fields = {"userId": request.path_params["user"]}
            user = msgspec.convert(fields, UserOnline).user
        except msgspec.ValidationError as error:
            raise ChatError("bad_request", str(error)) from None
        if bearer is not None and bearer.user != user:
            raise ChatError("forbidden", "one lists chats of one's own")
        return reply(await chats.list_chats(_services(request), user))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise ChatError("too_long", f"a body has at most {MOST_BODY} bytes")
    return body


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _chat_id(request: Request) -> int:
    given = str(request.path_params["chat"])
    if not (given.isascii() and given.isdecimal() and 1 <= int(given[:17]) < 2**53):
        raise ChatError("bad_request", "a chat's id is a positive integer")
    return int(given)
