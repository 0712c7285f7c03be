"""The AsyncAPI 3.0 document of the WebSocket protocol, made from the tables of the gateway."""

from collections.abc import Iterable
from typing import Any, Final

from gateway.api.actions import EVENTS, Action
from gateway.protocols.payloads import ErrorPayload
from gateway.protocols.reading import accepted_type
from shared.model.fields import UserId
from shared.protocol.closes import CLOSES
from shared.protocol.errors import ERRORS
from tools.reference import examples
from tools.reference.asking import errors_of, may_be_left_out, who_may
from tools.reference.connecting import QUERY
from tools.reference.docstrings import described
from tools.reference.documents import VERSION, as_json
from tools.reference.schemas import Schema, alternatives, schemas_of
from tools.reference.server_messages import server_messages

ABOUT: Final = (
    "Frames of the WebSocket at `/ws`, in JSON (subprotocol `chat.json`, also without one) or in"
    " MessagePack (`chat.msgpack`). Socket.IO at `/socket.io/` carries the same events."
)

CHANNEL: Final = {"$ref": "#/channels/chat"}

REQUEST_ID: Final = {
    "anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 128}],
    "description": "Chosen by the client; the answer carries it.",
}
CORRELATION: Final = {"location": "$message.payload#/id"}
LOCATIONS: Final = {
    "room": {"type": "string", "description": "Name of the room that the event belongs to."},
    "chatId": {"type": "integer", "description": "Id of the chat that the event belongs to."},
}


def document() -> str:
    """Return the document as JSON."""
    messages = {
        **{f"client.{event}": _asked(event, action) for event, action in EVENTS.items()},
        **{f"reply.{event}": _reply(event, action) for event, action in EVENTS.items()},
        **{f"server.{event}": _sent(event) for event in server_messages()},
        "error": _error(),
    }
    server = {"host": "127.0.0.1:8080", "protocol": "ws", "description": "A cluster at its default"}
    return as_json(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "Parley",
                "version": VERSION,
                "description": ABOUT,
                "license": {"name": "MIT"},
            },
            "defaultContentType": "application/json",
            "servers": {"cluster": server},
            "channels": {"chat": _channel(messages)},
            "operations": _operations(),
            "components": {"messages": messages, "schemas": _schemas()},
        }
    )


def _channel(messages: Iterable[str]) -> dict[str, Any]:
    query = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": text} for name, text in QUERY.items()
        },
    }
    return {
        "address": "/ws",
        "description": " ".join(
            f"Close code {int(code)}: {rule.meaning} {rule.action}" for code, rule in CLOSES.items()
        ),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _operations() -> dict[str, Any]:
    asked = {
        f"receive.{event}": {
            "action": "receive",
            "channel": CHANNEL,
            "summary": described(action.command).text,
            "description": f"Who may: {who_may(action)} {_errors(action)}".strip(),
            "messages": [_in_channel(f"client.{event}")],
            "reply": {
                "channel": CHANNEL,
                "messages": [_in_channel(f"reply.{event}"), _in_channel("error")],
            },
        }
        for event, action in EVENTS.items()
    }
    sent = {
        f"send.{event}": {
            "action": "send",
            "channel": CHANNEL,
            "summary": each.meaning,
            "description": f"Sent to {each.recipients}.",
            "messages": [_in_channel(f"server.{event}")],
        }
        for event, each in server_messages().items()
    }
    return asked | sent


def _errors(action: Action) -> str:
    codes = ", ".join(f"`{code}`" for code in errors_of(action))
    return f"Errors of its own: {codes}." if codes else ""


def _asked(event: str, action: Action) -> dict[str, Any]:
    data, required = _schema(accepted_type(action.command)), ["event"]
    if not may_be_left_out(action.command):
        required.append("data")
    return {
        "name": event,
        "summary": described(action.command).text,
        "correlationId": CORRELATION,
        "payload": _frame({"event": {"const": event}, "data": data, "id": REQUEST_ID}, required),
        "examples": [{"payload": examples.sent(event)}],
    }


def _reply(event: str, action: Action) -> dict[str, Any]:
    fields = {"event": {"const": "reply"}, "id": REQUEST_ID, "data": _schema(action.reply)}
    return {
        "name": "reply",
        "title": f"reply to {event}",
        "summary": " ".join(described(kind).text for kind in alternatives(action.reply)),
        "correlationId": CORRELATION,
        "payload": _frame(fields, list(fields)),
        "examples": [{"payload": examples.reply(event)}],
    }


def _sent(event: str) -> dict[str, Any]:
    each = server_messages()[event]
    fields: dict[str, Any] = {"event": {"const": event}}
    fields |= {name: LOCATIONS[name] for name in each.location}
    fields["data"] = _schema(each.data)
    if each.users:
        fields["users"] = {**_schema(list[UserId]), "description": each.users}
    return {
        "name": event,
        "summary": each.meaning,
        "payload": _frame(fields, ["event", "data"]),
        "examples": [{"payload": examples.received(event)}],
    }


def _error() -> dict[str, Any]:
    data = {
        "allOf": [
            _schema(ErrorPayload),
            {"properties": {"code": {"enum": list(ERRORS)}}},
        ]
    }
    fields = {"event": {"const": "error"}, "id": REQUEST_ID, "data": data}
    return {
        "name": "error",
        "summary": "Answer to a request that failed; without `id`, of a frame that had none.",
        "correlationId": CORRELATION,
        "payload": _frame(fields, ["event", "data"]),
        "examples": [{"payload": examples.error()}],
    }


def _frame(fields: dict[str, Any], required: list[str]) -> Schema:
    return {"type": "object", "properties": fields, "required": required}


def _schema(kind: Any) -> Schema:  # noqa: ANN401 - a type expression
    [schema], _ = schemas_of([kind])
    return schema


def _schemas() -> dict[str, Schema]:
    types = [accepted_type(action.command) for action in EVENTS.values()]
    types += [action.reply for action in EVENTS.values()]
    types += [each.data for each in server_messages().values()]
    _, components = schemas_of([*types, ErrorPayload])
    return components


def _in_channel(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/chat/messages/{name}"}
