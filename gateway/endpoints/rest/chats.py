"""REST for direct chats: `/chats`, `/chats/{chat}`, `/chats/user/{user}`."""

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.endpoints.responses import reply
from gateway.endpoints.rest.asking import ask
from gateway.protocols.reading import error_text, read_leniently
from shared.errors import ChatError
from shared.model.commands import ByChat, CreateChat, GetChats

BODY_TIMEOUT_SECONDS: Final = 30.0
"""Seconds that it may take."""


class Chats(HTTPEndpoint):
    """`/chats`."""

    async def post(self, request: Request) -> Response:
        """Make the chat of two users, or find it; who has to say who they are, one of them."""

        async def command() -> CreateChat:
            try:
                data = msgspec.json.decode(await _body(request))
                found: CreateChat = read_leniently(data, CreateChat)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                raise ChatError("bad_request", error_text(error) or "nested too deeply") from None
            return found

        return reply(await ask(request, "POST /chats", command), HTTPStatus.CREATED)


class Chat(HTTPEndpoint):
    """`/chats/{chat}`."""

    async def get(self, request: Request) -> Response:
        """A chat."""
        return reply(await ask(request, "GET /chats/{chat}", lambda: _by_id(request)))

    async def delete(self, request: Request) -> Response:
        """Delete a chat with all it held."""
        await ask(request, "DELETE /chats/{chat}", lambda: _by_id(request))
        return Response(b"", HTTPStatus.OK)


class ChatsOfUser(HTTPEndpoint):
    """`/chats/user/{user}`."""

    async def get(self, request: Request) -> Response:
        """The chats of a user: where tokens are required, the one who asks."""

        async def command() -> GetChats:
            try:
                return msgspec.convert({"userId": request.path_params["user"]}, GetChats)
            except msgspec.ValidationError as error:
                raise ChatError("bad_request", str(error)) from None

        return reply(await ask(request, "GET /chats/user/{user}", command))


async def _body(request: Request) -> bytes:
    max_bytes = request.app.state.gateway.settings.max_frame
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise ChatError("too_long", f"a body has at most {max_bytes} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    return bytes(body)


async def _by_id(request: Request) -> ByChat:
    try:
        command: ByChat = read_leniently({"chatId": request.path_params["chat"]}, ByChat)
    except msgspec.ValidationError:
        raise ChatError("bad_request", "a chat's id is an integer from 1 to 2^53 - 1") from None
    return command
