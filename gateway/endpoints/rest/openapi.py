"""The OpenAPI document of the REST interface; `gateway/web/docs` shows it."""

from copy import deepcopy
from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.gateway import Gateway
from gateway.endpoints.responses import ErrorBody, reply
from gateway.protocols.payloads import ChatPayload, ListedChatPayload, Ticket
from shared.model.commands import CreateChat
from shared.model.ids import TOP

_AWAY = "Broker or database are away: try again"
_FOREIGN = "A page of another origin asks (`ALLOWED_ORIGINS`)"
_TOO_MUCH = "Too much at once: `Retry-After` says when to ask again"
_REF = "#/components/schemas/{name}"
_CHAT_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": TOP - 1},
    "description": "the chat's id",
}
_USER_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "description": "the user's id",
}


async def document(request: Request) -> Response:
    """`GET /openapi.json`."""
    gateway: Gateway = request.app.state.gateway
    return reply(guarded() if gateway.access.identity.required else openapi())


@cache
def guarded() -> dict[str, Any]:
    """The document where requests have to show who they are from."""
    document = deepcopy(openapi())
    (ticket, error), schemas = msgspec.json.schema_components(
        (Ticket, ErrorBody), ref_template=_REF
    )
    document["paths"]["/tickets"] = {
        "post": _operation(
            "createTicket",
            "Get a ticket, for `/ws?ticket=`",
            {
                "201": _answer("It lets its user in once", ticket),
                "403": _answer(_FOREIGN, error),
                "429": _answer(_TOO_MUCH, error),
                "503": _answer(_AWAY, error),
            },
        )
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["401"] = _answer("No token, or one that is not valid", error)
    for refusing in ("/chats", "/chats/user/{id}"):
        for operation in document["paths"][refusing].values():
            operation["responses"]["403"] = _answer(f"That is about others; or: {_FOREIGN}", error)
    document["components"]["schemas"] |= schemas
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    document["security"] = [{"token": []}]
    return document


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
            ("403", _FOREIGN),
            ("404", "There is no such chat"),
            ("429", _TOO_MUCH),
            ("503", _AWAY),
        )
    }
    some = {status: errors[status] for status in ("400", "403", "429", "503")}
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
                        "408": _answer("The body did not come in time", error),
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
