"""JSON schemas of the types of the protocol, with descriptions from their docstrings."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tools.docstrings import Undescribed, described

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
"""Where documents keep their schemas."""


def schemas_of(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Return the schemas of types, and those of the structs that they name.

    Raises:
        Undescribed: a struct, or a field of one, has no description.
    """
    wanted = tuple(types)
    found, components = msgspec.json.schema_components(wanted, ref_template=REF)
    for kind in _structs(wanted):
        components[kind.__name__] = _with_texts(kind, components[kind.__name__])
    return list(found), dict(sorted(components.items()))


def text_of(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    """Return the description of a field of a struct, as a sentence.

    Raises:
        Undescribed: it has none.
    """
    if text := described(kind).fields.get(field.name):
        return text[0].upper() + text[1:]
    raise Undescribed(f"the field {field.name} of {kind.__qualname__} has no description")


def _with_texts(kind: type[msgspec.Struct], schema: Schema) -> Schema:
    texts = {field.encode_name: text_of(kind, field) for field in msgspec.structs.fields(kind)}
    properties = {
        name: {**value, "description": texts[name]} for name, value in schema["properties"].items()
    }
    about = described(kind)
    description = f"{about.text} {about.more}".strip()
    return {**schema, "title": kind.__name__, "description": description, "properties": properties}


def _structs(types: Iterable[Any]) -> set[type[msgspec.Struct]]:
    """Return the structs among types and in their fields."""
    found: set[type[msgspec.Struct]] = set()
    waiting = list(types)
    while waiting:
        each = waiting.pop()
        waiting += getattr(each, "__args__", ())
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each not in found:
            found.add(each)
            waiting += [field.type for field in msgspec.structs.fields(each)]
    return found
