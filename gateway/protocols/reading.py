"""Reads commands, from data that is exactly of their types and from data that only says the same.

Clients write numbers differently: an integer may come as `1.0` from a language or a MessagePack
library that has floats only, and an id as text from a page's address. Many write `null` for what
they leave out. The decoders are strict, which is fast; data that they refuse is read again here.
"""

import re
from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType, inspect

from shared.model.commands import Command
from shared.protocol.limits import MAX_RESUMED_PLACES

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}")
"""An integer as text, in the one form that the server writes it in. No more digits than of ids:
Python's integers have no end, and text of thousands of digits takes long to read."""

_PATH: Final = re.compile(r"`\$\.?([^`]*)`")
"""The place of an error in a message of msgspec: `$.limit`, or `$` for the whole."""

_Scalar = str | int | float | bool | None

Adapt = Callable[[Any], Any]


@cache
def accepted_type(kind: type[Command]) -> Any:  # noqa: ANN401 - a type expression
    """Return the type of what may stand for a command: itself, a bare value, or nothing."""
    if kind.bare is not None:
        bare = next(f for f in msgspec.structs.fields(kind) if f.name == kind.bare)
        return kind | bare.type
    if all(not field.required for field in msgspec.structs.fields(kind)):
        return kind | None
    return kind


@cache
def loose_type(kind: type[Command]) -> Any:  # noqa: ANN401 - a type expression
    """Return the type of data that may be read leniently as a command.

    It has nothing nested but what a field takes, so that a decoder refuses all else, or skips it,
    and builds none of it: 60,000 empty lists would take 5 ms.
    """
    return _loose(inspect.type_info(accepted_type(kind)))


def _loose(kind: inspect.Type) -> Any:  # noqa: ANN401 - a type expression
    match kind:
        case inspect.UnionType():
            return reduce(or_, map(_loose, kind.types))
        case inspect.DictType():
            return dict[str | int | float, _Scalar] | _Scalar
        case inspect.StructType():
            fields = [
                (each.encode_name, _loose(each.type) | UnsetType, UNSET) for each in kind.fields
            ]
            return msgspec.defstruct(f"Loose{kind.cls.__name__}", fields) | _Scalar
        case _:
            return _Scalar


def read_leniently(data: object, kind: Any) -> Any:  # noqa: ANN401 - a type expression and its value
    """Read data that a strict decoder refused.

    An integer may be a float without a fraction, or its decimal digits as text. `null` for a field
    that may be left out, or for all of the data, is as if it were left out.

    Args:
        data: plain values, as a decoder without a type returns them.
        kind: a type of commands, or what `accepted_type` made of one.

    Raises:
        msgspec.ValidationError: it is not of that type in this way either.
    """
    return msgspec.convert(_adapter(kind)({} if data is None else data), kind)


def error_text(error: Exception, whole: str = "") -> str:
    """Return the message of a decoder's error, a sentence that names the field where the error is.

    Args:
        error: of msgspec, or of the check of a command.
        whole: the name of what was decoded, if its fields are named as parts of it.
    """
    text = _PATH.sub(lambda found: f"`{'.'.join(filter(None, (whole, found[1])))}`", str(error))
    return text or "not readable"


@cache
def _adapter(kind: Any) -> Adapt:  # noqa: ANN401 - a type expression
    """Return the function that brings values nearer to a type, and leaves all others alone."""
    return _adapter_of(inspect.type_info(kind))


def _adapter_of(kind: inspect.Type) -> Adapt:
    match kind:
        case inspect.IntType():
            return _adapt_integer
        case inspect.UnionType():
            return _union_adapter(kind)
        case inspect.DictType():
            return _dict_adapter(kind)
        case inspect.StructType():
            return _struct_adapter(kind)
        case _:
            return lambda value: value


def _adapt_integer(value: Any) -> Any:  # noqa: ANN401 - any value of a frame
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    return value


def _union_adapter(kind: inspect.UnionType) -> Adapt:
    adapters = [_adapter_of(each) for each in kind.types]
    takes_text = any(isinstance(each, inspect.StrType) for each in kind.types)

    def adapt(value: Any) -> Any:  # noqa: ANN401 - any value of a frame
        if not (takes_text and isinstance(value, str)):
            for each in adapters:
                value = each(value)
        return value

    return adapt


def _dict_adapter(kind: inspect.DictType) -> Adapt:
    key, item = _adapter_of(kind.key_type), _adapter_of(kind.value_type)

    def adapt(value: Any) -> Any:  # noqa: ANN401 - any value of a frame
        if not isinstance(value, dict):
            return value
        if len(value) > MAX_RESUMED_PLACES:
            raise msgspec.ValidationError(f"at most {MAX_RESUMED_PLACES} members in an object")
        return {key(name): item(each) for name, each in value.items()}

    return adapt


def _struct_adapter(kind: inspect.StructType) -> Adapt:
    fields = {field.encode_name: (_adapter_of(field.type), field.required) for field in kind.fields}

    def adapt(value: Any) -> Any:  # noqa: ANN401 - any value of a frame
        if not isinstance(value, dict):
            return value
        # What is no field is ignored, as the strict decoders do.
        given = [(name, value[name]) for name in fields.keys() & value.keys()]
        return {
            name: fields[name][0](item)
            for name, item in given
            if item is not None or fields[name][1]
        }

    return adapt
