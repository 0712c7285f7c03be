"""REST for direct chats: `/chats`, `/chats/{chat}`, `/chats/user/{user}`."""

from http import HTTPStatus
from typing import cast
from urllib.parse import unquote, urlencode

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.handlers.requests import ListedPage
from gateway.endpoints.responses import reply
from gateway.endpoints.rest.asking import ask
from gateway.endpoints.rest.bodies import read_body
from gateway.protocols.payloads import ShownChatPayload
from gateway.protocols.reading import error_text, read_leniently
from shared.errors import ChatError
from shared.model.commands import ByChat, CreateChat, ListChats


class Chats(HTTPEndpoint):
    """`/chats`."""

    async def post(self, request: Request) -> Response:
        """Make the chat of two users, or find it; who has to say who they are, one of them."""
        made = await ask(request, "POST /chats", lambda: read_body(request, CreateChat))
        return reply(made, HTTPStatus.CREATED)


class Chat(HTTPEndpoint):
    """`/chats/{chat}`."""

    async def get(self, request: Request) -> Response:
        """A chat."""
        chat = await ask(request, "GET /chats/{chat}", lambda: _by_id(request))
        return _marked(reply(chat), partial=cast("ShownChatPayload", chat).partial)

    async def delete(self, request: Request) -> Response:
        """Delete a chat with all it held."""
        await ask(request, "DELETE /chats/{chat}", lambda: _by_id(request))
        return Response(b"", HTTPStatus.OK)


class ChatsOfUser(HTTPEndpoint):
    """`/chats/user/{user}`."""

    async def get(self, request: Request) -> Response:
        """A page of the chats of a user: where tokens are required, the one who asks."""
        found = await ask(request, "GET /chats/user/{user}", lambda: _of_user(request))
        page = cast("ListedPage", found)
        answer = _marked(reply(page.chats), partial=page.partial)
        if page.next is not None:
            answer.headers["Link"] = _next_page(request, page.next)
        return answer


def _marked(answer: Response, *, partial: bool) -> Response:
    """Say in an answer's headers if it is what the database has while the broker is away."""
    if partial:
        answer.headers["Parley-Partial"] = "true"
        answer.headers["Cache-Control"] = "no-store"  # the next one may be whole
    return answer


def _next_page(request: Request, before: str) -> str:
    """Return the header that names the next page (RFC 8288), relative to the address of this one.

    An absolute one would lose what a proxy has put before the path.
    """
    query = urlencode({**request.query_params, "before": before})
    return f'<?{query}>; rel="next"'


async def _by_id(request: Request) -> ByChat:
    try:
        command: ByChat = read_leniently({"chatId": request.path_params["chat"]}, ByChat)
    except msgspec.ValidationError:
        raise ChatError("bad_request", "a chat's id is an integer from 1 to 2^53 - 1") from None
    return command


async def _of_user(request: Request) -> ListChats:
    try:
        # Not the path parameter: where the path is not UTF-8, it has other characters instead.
        raw: bytes = request.scope["raw_path"]
        user = unquote(raw.decode(), errors="strict").removeprefix("/chats/user/")
        command: ListChats = read_leniently({**request.query_params, "userId": user}, ListChats)
    except UnicodeDecodeError:
        raise ChatError("bad_request", "the path is not UTF-8") from None
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", error_text(error)) from None
    return command
