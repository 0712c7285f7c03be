"""The OpenAPI document of the REST interface; `gateway/web/docs` shows it."""

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.endpoints.chats import ErrorBody, reply
from gateway.protocols.payloads import ChatPayload, ListedChatPayload
from shared.model.commands import CreateChat

_REF = "#/components/schemas/{name}"
_CHAT_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
    "description": "the chat's id",
}
_USER_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "description": "the user's id",
}


async def document(_request: Request) -> Response:
    """`GET /openapi.json`."""
    return reply(openapi())


@cache
def openapi() -> dict[str, Any]:
    """The document (OpenAPI 3.1)."""
    (chat, listed, create, error), schemas = msgspec.json.schema_components(
        (ChatPayload, ListedChatPayload, CreateChat, ErrorBody), ref_template=_REF
    )
    errors = {
        status: _answer(text, error)
        for status, text in (
            ("400", "The id or the body is not valid"),
            ("404", "There is no such chat"),
            ("503", "Broker or database are away: try again"),
        )
    }
    some = {status: errors[status] for status in ("400", "503")}
    listing = {"type": "array", "items": listed}
    body = {"required": True, "content": {"application/json": {"schema": create}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": "1",
            "description": "Direct chats over REST. Everything else is said over a WebSocket.",
        },
        "paths": {
            "/chats": {
                "post": _operation(
                    "createChat",
                    "Make the chat of two users, or find it",
                    {
                        "201": _answer("The chat; both users are told of a new one", chat),
                        **some,
                        "413": _answer("The body is too long", error),
                    },
                    requestBody=body,
                )
            },
            "/chats/{id}": {
                "get": _operation(
                    "getChat",
                    "A chat",
                    {"200": _answer("The chat", chat), **errors},
                    parameters=[_CHAT_ID],
                ),
                "delete": _operation(
                    "deleteChat",
                    "Delete a chat with all it holds",
                    {"200": {"description": "It is gone; both users are told"}, **errors},
                    parameters=[_CHAT_ID],
                ),
            },
            "/chats/user/{id}": {
                "get": _operation(
                    "getChatsOfUser",
                    "The chats of a user, the one with the latest news first",
                    {"200": _answer("The chats; none for nobody", listing), **some},
                    parameters=[_USER_ID],
                )
            },
        },
        "components": {"schemas": schemas},
    }


def _operation(
    name: str, summary: str, responses: dict[str, Any], **more: object
) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, **more, "responses": responses}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
