"""REST for direct chats, by the handlers that serve WebSockets."""

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.tokens import Bearer
from gateway.api.handlers import chats
from gateway.api.handlers.places import no_such_chat
from gateway.api.services import Services
from gateway.endpoints.responses import reply
from gateway.endpoints.rest.credentials import who
from gateway.protocols.payloads import chat_payload
from shared.errors import ChatError
from shared.model.commands import MOST_ID, CreateChat, UserOnline
from shared.model.ids import TOP
from shared.model.rooms import Room

MOST_BODY: Final = 65_536
"""Bytes of a request's body."""

BODY_WITHIN: Final = 30.0
"""Seconds that it may take."""


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
        _services(request).authorization.authorize("POST /chats", _user(bearer), about=users)
        payload, _ = await chats.make_chat(_services(request), *users)
        return reply(payload, HTTPStatus.CREATED)


class Chat(HTTPEndpoint):
    """`/chats/{chat}`."""

    async def get(self, request: Request) -> Response:
        """A chat."""
        return reply(chat_payload(await _chat(request, "GET /chats/{chat}")))

    async def delete(self, request: Request) -> Response:
        """Delete a chat with all it held."""
        await chats.delete_chat(_services(request), await _chat(request, "DELETE /chats/{chat}"))
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
        _services(request).authorization.authorize(
            "GET /chats/user/{user}", _user(bearer), about=(user,)
        )
        return reply(await chats.list_chats(_services(request), user))


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY:
                    raise ChatError("too_long", f"a body has at most {MOST_BODY} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    return bytes(body)


async def _chat(request: Request, action: str) -> Room:
    """The chat of a request, if who asks may do this to it."""
    services, bearer, chat_id = _services(request), await who(request), _chat_id(request)
    chat = await services.directory.chat(chat_id)
    services.authorization.authorize(
        action, _user(bearer), chat, unseen=lambda: no_such_chat(chat_id)
    )
    if chat is None:
        raise no_such_chat(chat_id)
    return chat


def _user(bearer: Bearer | None) -> str | None:
    return None if bearer is None else bearer.user


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _chat_id(request: Request) -> int:
    given = str(request.path_params["chat"])
    if not (given.isascii() and given.isdecimal() and 1 <= int(given[:MOST_ID]) < TOP):
        raise ChatError("bad_request", "a chat's id is a positive integer")
    return int(given)
