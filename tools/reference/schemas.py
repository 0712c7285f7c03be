"""JSON schemas of the types of the protocol, with descriptions from their docstrings."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from tools.reference.docstrings import Described, Undescribed, described

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{name}"
"""Where documents keep their schemas."""


GENERATED: Final[dict[type[Struct], Described]] = {}
"""Descriptions of structs that no module declares."""


def about(kind: type[Struct]) -> Described:
    """Return the description of a struct and of its fields."""
    return GENERATED.get(kind) or described(kind)


def schemas_of(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Return the schemas of types, and those of the structs that they name.

    Raises:
        Undescribed: a struct, or a field of one, has no description.
    """
    groups = [alternatives(kind) for kind in types]
    wanted = tuple(kind for group in groups for kind in group)
    made, components = msgspec.json.schema_components(wanted, ref_template=REF)
    left = iter(made)
    found = [_any_of(list(islice(left, len(group)))) for group in groups]
    for kind in _structs(wanted):
        components[kind.__name__] = _with_texts(kind, components[kind.__name__])
    return found, dict(sorted(components.items()))


def alternatives(kind: Any) -> list[Any]:  # noqa: ANN401 - a type expression
    """Return the structs of a union of structs, which msgspec describes one by one; else itself."""
    members = getattr(kind, "__args__", ())
    structs = [each for each in members if isinstance(each, type) and issubclass(each, Struct)]
    return structs if len(structs) > 1 else [kind]


def text_of(kind: type[Struct], field: msgspec.structs.FieldInfo) -> str:
    """Return the description of a field of a struct, as a sentence.

    Raises:
        Undescribed: it has none.
    """
    if text := about(kind).fields.get(field.name):
        return text[0].upper() + text[1:]
    raise Undescribed(f"the field {field.name} of {kind.__qualname__} has no description")


def _any_of(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _with_texts(kind: type[Struct], schema: Schema) -> Schema:
    texts = {field.encode_name: text_of(kind, field) for field in msgspec.structs.fields(kind)}
    properties = {
        name: {**value, "description": texts[name]} for name, value in schema["properties"].items()
    }
    whole = about(kind)
    description = f"{whole.text} {whole.more}".strip()
    return {**schema, "title": kind.__name__, "description": description, "properties": properties}


def _structs(types: Iterable[Any]) -> set[type[Struct]]:
    """Return the structs among types and in their fields."""
    found: set[type[Struct]] = set()
    waiting = list(types)
    while waiting:
        each = waiting.pop()
        waiting += getattr(each, "__args__", ())
        if isinstance(each, type) and issubclass(each, Struct) and each not in found:
            found.add(each)
            waiting += [field.type for field in msgspec.structs.fields(each)]
    return found
