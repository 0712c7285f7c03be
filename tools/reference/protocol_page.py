"""The page of the WebSocket protocol, made from the tables of the gateway and a template."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.access.rates.limits import Kind
from gateway.api.actions import EVENTS, Action
from gateway.protocols.payloads import EmptyPayload, ErrorPayload
from gateway.protocols.server_events import ServerEvent
from shared.config import Settings
from shared.protocol import limits
from shared.protocol.closes import CLOSES, Reconnect
from shared.protocol.errors import ERRORS
from tools.reference import docstrings, examples
from tools.reference.asking import errors_of, may_be_left_out, who_may
from tools.reference.connecting import QUERY
from tools.reference.documents import header, table
from tools.reference.schemas import about, alternatives, schemas_of, text_of
from tools.reference.server_messages import server_messages
from tools.reference.type_words import number, type_link, type_name, words

TEMPLATE: Final = Path(__file__).parent / "pages" / "protocol.template"
PLACEHOLDER: Final = re.compile(r"@(\w+)@")
SOURCES: Final = "the tables of the gateway"

RECONNECT: Final[Mapping[Reconnect, str]] = {
    "yes": "yes",
    "token": "with a token",
    "new_token": "with a fresh token",
    "no": "no",
}


def page() -> str:
    """Return the page.

    Raises:
        Undescribed: something on it has no description.
    """
    parts: dict[str, Callable[[], str]] = {
        "query": lambda: _rows((f"`{name}`", text) for name, text in QUERY.items()),
        "frames": lambda: _example(_frames()),
        "requests": lambda: "\n".join(_request(*each) for each in EVENTS.items()),
        "events": lambda: "\n".join(_event(*each) for each in sorted(server_messages().items())),
        "types": lambda: "\n".join(_types()),
        "error": lambda: _example([examples.error()]),
        "error_fields": lambda: _fields(ErrorPayload),
        "errors": _errors,
        "closes": _closes,
        "limits": _limits,
        "rates": _rates,
    }
    numbers = {name: number(getattr(limits, name)) for name in limits.__dict__ if name.isupper()}

    def filled(found: re.Match[str]) -> str:
        name = found.group(1)
        return numbers[name] if name in numbers else parts[name]()

    text = PLACEHOLDER.sub(filled, TEMPLATE.read_text(encoding="utf-8"))
    return header(SOURCES) + "\n" + text


def _request(event: str, action: Action) -> str:
    command = action.command
    whole = about(command)
    lines = [f"### Request {event}", "", f"{whole.text} {whole.more}".strip(), ""]
    if fields := _fields(command):
        lines += [fields]
    if command.bare:
        [field] = [each for each in msgspec.structs.fields(command) if each.name == command.bare]
        lines += [f"The bare value of `{field.encode_name}` may stand for the object.", ""]
    elif may_be_left_out(command):
        lines += ["`data` may be left out.", ""]
    lines += _facts(action)
    return "\n".join([*lines, "", "```json", _example(_exchange(event)), "```", ""])


def _facts(action: Action) -> list[str]:
    replies = [each for each in alternatives(action.reply) if each is not EmptyPayload]
    links = " or ".join(type_link(each.__name__) for each in replies)
    events = ", ".join(f"[{event}](#event-{event.lower()})" for event in action.events)
    errors = ", ".join(f"`{code}`" for code in errors_of(action))
    facts = {
        "Who may": who_may(action).rstrip("."),
        "Rate": action.rate,
        "Reply": links or "`{}`",
        "Events": events,
        "Errors": errors,
    }
    return [f"- **{name}:** {text}" for name, text in facts.items() if text]


def _event(event: str, each: ServerEvent) -> str:
    lines = [f"### Event {event}", "", each.meaning, "", f"- **To:** {each.recipients}"]
    if each.location:
        beside = " or ".join(f"`{name}`" for name in each.location)
        lines.append(f"- **Beside `data`:** {beside}")
    if each.users:
        lines.append(f"- **`users`, beside `data`:** {each.users}")
    [schema], _ = schemas_of([each.data])
    is_struct = isinstance(each.data, type) and issubclass(each.data, msgspec.Struct)
    if not is_struct:
        lines.append(f"- **Data:** {words(schema)}")
    fields = ["", _fields(each.data)] if is_struct else [""]
    return "\n".join([*lines, *fields, "```json", _example([examples.received(event)]), "```", ""])


def _types() -> Iterator[str]:
    """Return the types that replies, lists and other types name."""
    roots = [kind for action in EVENTS.values() for kind in alternatives(action.reply)]
    _, named = schemas_of([*roots, *(each.data for each in server_messages().values())])
    shown = {kind.__name__: kind for kind in _structs(roots) if kind is not EmptyPayload}
    for title in sorted(named.keys() & shown.keys()):
        kind = shown[title]
        whole = about(kind)
        text = f"{whole.text} {whole.more}".strip()
        yield f"### Type {type_name(title)}\n\n{text}\n\n{_fields(kind)}"


def _structs(roots: list[Any]) -> set[type[msgspec.Struct]]:
    """Return the structs of replies, and those in lists of events and in fields."""
    lists = [each.data for each in server_messages().values() if hasattr(each.data, "__args__")]
    found: set[type[msgspec.Struct]] = set()
    waiting = [*roots, *lists]
    while waiting:
        each = waiting.pop()
        waiting += getattr(each, "__args__", ())
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each not in found:
            found.add(each)
            waiting += [field.type for field in msgspec.structs.fields(each)]
    return found


def _fields(kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    if not fields:
        return ""
    _, components = schemas_of([kind])
    properties = components[kind.__name__]["properties"]
    rows = []
    for field in fields:
        schema = properties[field.encode_name]
        told = words(_without_null(schema))
        rows.append((f"`{field.encode_name}`", told, _presence(field), text_of(kind, field)))
    return table(["field", "type", "", "meaning"], rows)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the type of a field without the null that stands for leaving it out."""
    if "default" not in schema or schema["default"] is not None:
        return schema
    kinds = [each for each in schema["anyOf"] if each.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _presence(field: msgspec.structs.FieldInfo) -> str:
    if field.required and msgspec.UnsetType not in getattr(field.type, "__args__", ()):
        return "always"
    if field.default in (msgspec.NODEFAULT, msgspec.UNSET, None, ""):
        return "optional"
    return f"optional, `{json.dumps(field.default)}`"


def _errors() -> str:
    rows = [
        (f"`{code}`", "yes" if rule.retryable else "no", rule.meaning, rule.action)
        for code, rule in ERRORS.items()
    ]
    return table(["code", "retryable", "meaning", "what to do"], rows)


def _closes() -> str:
    rows = [
        (str(int(code)), RECONNECT[rule.reconnect], rule.meaning, rule.action)
        for code, rule in CLOSES.items()
    ]
    return table(["code", "connect again", "meaning", "what to do"], rows)


def _limits() -> str:
    texts = docstrings.constants(limits.__name__)
    rows = [(f"`{name}`", number(getattr(limits, name)), text) for name, text in texts.items()]
    return table(["name in the client libraries", "value", "meaning"], rows)


def _rates() -> str:
    texts = docstrings.fields_below(Settings)
    defaults = {each.name: each.default for each in msgspec.structs.fields(Settings)}
    kinds = [kind for kind in Kind.__args__ if kind != "connections"]  # type: ignore[attr-defined]
    classes = {kind: f"rate_{kind.replace(' ', '_')}" for kind in ("connections", *kinds)}
    others = [name for name in defaults if name.startswith("rate_")]
    named = [*classes.items(), *(("", name) for name in others if name not in classes.values())]
    rows = [
        (kind, f"`{name.upper()}`", f"`{defaults[name]}`", texts[name])
        for kind, name in named
        if name != "rate_limits"
    ]
    return table(["class", "setting", "default", "what it limits"], rows)


def _frames() -> list[examples.Example]:
    return [*_exchange("message"), examples.error()]


def _exchange(event: str) -> list[examples.Example]:
    return [examples.sent(event), examples.reply(event)]


def _example(frames: list[examples.Example]) -> str:
    return "\n".join(json.dumps(frame, ensure_ascii=False) for frame in frames)


def _rows(rows: Iterator[tuple[str, str]]) -> str:
    return "".join(f"| {name} | {text} |\n" for name, text in rows)
