"""The OpenAPI 3.1 document of the REST interface, made from the table of requests."""

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from gateway.api.actions import REQUESTS, Request
from gateway.endpoints.responses import STATUS, ErrorBody
from shared.protocol.errors import Code
from shared.protocol.limits import DEFAULT_FRAME_BYTES
from tools.reference.asking import errors_of
from tools.reference.documents import VERSION, as_json
from tools.reference.schemas import Schema, schemas_of, text_of

ABOUT: Final = (
    "Direct chats and tickets over REST. Everything else is said over a WebSocket and stands in the"
    " reference of the protocol. With `AUTH_MODE=jwt` a request carries a token of your"
    ' application: `Authorization: Bearer <token>`. An integer may be written as text (`"17"`) or'
    " as a number without a fraction (`17.0`); `null` for an optional field is as if it were left"
    " out. A path means the same with a slash at its end. `HEAD` works where `GET` does, and"
    " `OPTIONS` says which methods do."
)

ALWAYS: Final[tuple[Code, ...]] = (
    "bad_request",
    "unauthorized",
    "forbidden",
    "rate_limited",
    "broker_unavailable",
    "storage_unavailable",
    "internal",
)
"""Errors that any request may get: of the guard before it, and of what is behind all of them."""

ERRORS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "A field is missing, has the wrong type or is outside its limits. The"
    " message names it.",
    HTTPStatus.UNAUTHORIZED: "The token is missing, not valid or expired. Only with"
    " `AUTH_MODE=jwt`.",
    HTTPStatus.FORBIDDEN: "The request is about other users; or it comes from a page whose origin"
    " `ALLOWED_ORIGINS` does not name.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or the user may not know of it.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The body has more than {DEFAULT_FRAME_BYTES:,} bytes,"
    " or the more that a server with a large `MAX_CONTENT` takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is compressed, or in another character set than"
    " UTF-8. `Content-Type` does not matter otherwise: the body is read as JSON.",
    HTTPStatus.TOO_MANY_REQUESTS: "The address asks too often. Repeat the request after the time"
    " in `Retry-After`.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server failed in a way it did not expect; its log has"
    " the details.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The broker or the database does not answer, or has too much"
    " to do. Repeat the request after the time in `Retry-After`.",
}
"""What each status of an error means."""

WITH_BODY: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
"""Errors of requests that have a body."""

PARAMETER: Final = re.compile(r"\{(\w+)\}")
"""Parameter of a path of the table, `{chat}`; it is `{id}` in the document, as in what is answered.

Tools that try an interface out find by that name which answers hold an id to ask with.
"""

RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "Seconds to wait before the request is repeated.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


LINK: Final = {
    "Link": {
        "description": "The address of the next page, relative to that of this one (RFC 8288);"
        " missing on the last page.",
        "schema": {"type": "string"},
        "example": '<?limit=20&before=1764500000000.1025.1764500600000>; rel="next"',
    }
}


PARTIAL: Final = {
    "Parley-Partial": {
        "description": "`true` if the broker did not answer, and the answer is what the database"
        " has: what is newest may be missing, and what was deleted a moment ago may be there."
        " Missing otherwise.",
        "schema": {"type": "string", "const": "true"},
    }
}


def document() -> str:
    """Return the document as JSON."""
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, request in REQUESTS.items():
        method, path = name.split()
        paths[PARAMETER.sub("{id}", path)][method.lower()] = _operation(name, request)
    about = {"title": "Parley", "version": VERSION, "description": ABOUT}
    token = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return as_json(
        {
            "openapi": "3.1.0",
            "info": {**about, "license": {"name": "MIT", "identifier": "MIT"}},
            "security": [{"token": []}, {}],
            "paths": paths,
            "components": {
                "schemas": _schemas(),
                "responses": {_name(status): _error(status) for status in ERRORS},
                "securitySchemes": {"token": token},
            },
        }
    )


def _schemas() -> dict[str, Schema]:
    bodies = [each.action.command for name, each in REQUESTS.items() if _has_body(name, each)]
    replies = [each.action.reply for each in REQUESTS.values() if each.action.reply is not None]
    _, components = schemas_of([ErrorBody, *replies, *bodies])
    return components


def _has_body(name: str, request: Request) -> bool:
    return name.startswith("POST ") and bool(msgspec.structs.fields(request.action.command))


def _operation(name: str, request: Request) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": request.name, "summary": request.summary}
    if parameters := _parameters(name, request):
        operation["parameters"] = parameters
    if has_body := _has_body(name, request):
        body = _json(request.action.command)
        operation["requestBody"] = {"required": True, "content": body}
    statuses = {_status(code) for code in (*ALWAYS, *errors_of(request.action))}
    responses = {
        str(int(status)): {"$ref": f"#/components/responses/{_name(status)}"}
        for status in ERRORS
        if status in statuses or (has_body and status in WITH_BODY)
    }
    answer: dict[str, Any] = {"description": request.answer}
    headers = {
        name: header
        for name, header in {**LINK, **PARTIAL}.items()
        if f"`{name}`" in request.answer
    }
    if headers:
        answer["headers"] = headers
    if request.action.reply is not None:
        answer["content"] = _json(request.action.reply)
    operation["responses"] = {str(int(request.status)): answer, **responses}
    return operation


def _parameters(path: str, request: Request) -> list[dict[str, Any]]:
    """Return what stands in the path, and in the query of a request without a body.

    `{chat}` of the path is the field `chat_id` of the command.
    """
    kind = request.action.command
    in_path = [f"{name}_id" for name in PARAMETER.findall(path)]
    found = []
    for field in msgspec.structs.fields(kind) if in_path else ():
        [schema], _ = schemas_of([field.type])
        in_query = field.name not in in_path
        schema = _as_text(schema)
        if in_query and field.default is not None:
            schema = {**schema, "default": field.default}
        place = (field.encode_name, "query") if in_query else ("id", "path")
        found.append(
            {
                **dict(zip(("name", "in"), place, strict=True)),
                "required": field.required,
                "description": text_of(kind, field),
                "schema": schema,
            }
        )
    return found


def _as_text(schema: Schema) -> Schema:
    """Return the schema of a user as it stands in a path, where an integer is text as well."""
    return next((each for each in schema.get("anyOf", ()) if each["type"] == "string"), schema)


def _error(status: HTTPStatus) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": ERRORS[status], "content": _json(ErrorBody)}
    if "Retry-After" in ERRORS[status]:
        answer["headers"] = RETRY_AFTER
    return answer


def _json(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type expression
    [schema], _ = schemas_of([kind])
    return {"application/json": {"schema": schema}}


def _status(code: Code) -> HTTPStatus:
    return STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)


def _name(status: HTTPStatus) -> str:
    return "".join(word.capitalize() for word in status.name.split("_"))
