"""Types in words, from their JSON schemas."""

from typing import Final

from shared.model.fields import UserId
from shared.protocol.limits import MAX_INTEGER
from tools.reference.schemas import Schema, schemas_of

USER: Final = schemas_of([UserId])[0][0]
"""The schema of a user."""

SIMPLE: Final = {"boolean": "true or false", "number": "number", "null": "null"}


def words(schema: Schema) -> str:
    """Return a type in words: `text, 1 to 128 characters`."""
    if reference := schema.get("$ref"):
        return type_link(reference.rsplit("/", 1)[1])
    if schema.get("anyOf") == USER["anyOf"]:
        return "[user](#users-and-names)"
    if alternatives := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(map(words, alternatives)))
    if options := schema.get("enum"):
        return " or ".join(f"`{option}`" for option in options)
    match schema.get("type"):
        case "string":
            return "text" + _length(schema)
        case "integer":
            return "integer" + _range(schema)
        case "array":
            return f"list of {words(schema['items'])}"
        case "object":
            return f"object of {words(schema['additionalProperties'])}"
        case kind:
            return SIMPLE[str(kind)]


def type_name(title: str) -> str:
    """Return the name of a type on the page: `MessagePayload` is `Message`."""
    return title.removesuffix("Payload")


def type_link(title: str) -> str:
    """Return a link to a type on the page."""
    name = type_name(title)
    return f"[{name}](#type-{name.lower()})"


def number(value: float) -> str:
    """Return a number as people read it."""
    if value == MAX_INTEGER:
        return "2^53 - 1"
    return f"{value:,}" if value >= 10_000 else f"{value:g}"  # noqa: PLR2004 - as people write it


def _length(schema: Schema) -> str:
    low, high = schema.get("minLength"), schema.get("maxLength")
    if low and high:
        return f", {number(low)} to {number(high)} characters"
    if high:
        return f", up to {number(high)} characters"
    return ", not empty" if low else ""


def _range(schema: Schema) -> str:
    low = schema.get("minimum")
    high = schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1)
    if low is not None and high > 0:
        return f" from {number(low)} to {number(high)}"
    return ""
