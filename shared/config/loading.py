"""Reading settings from the environment; nothing else reads `os.environ`."""

import os
import secrets
import sys
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from shared.config.errors import ConfigError, invalid
from shared.config.text import clean

S = TypeVar("S", bound=msgspec.Struct)


class Values(NamedTuple):
    """The settings of a program that an environment has.

    Attributes:
        given: the values that are valid, by the names of fields.
        faults: an error for each value that is not, by the name of its variable.
    """

    given: dict[str, Any]
    faults: dict[str, ConfigError]


def load(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read the fields of `kind` from the environment; an empty value counts as not given.

    Args:
        kind: a Struct whose encoded field names are environment variables.
        environ: the variables; the process's own unless given.

    Raises:
        ConfigError: a value is not what its field takes. The text names the variable.
    """
    given, faults = read(kind, os.environ if environ is None else environ)
    for fault in faults.values():
        raise fault
    return kind(**given)


def read(kind: type[msgspec.Struct], environ: Mapping[str, str]) -> Values:
    """Read every field of `kind` that the environment gives, and find all faults."""
    found = Values({}, {})
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        try:
            if text := clean(name, environ.get(name, "")):
                found.given[field.name] = _convert(name, text, field.type)
        except ConfigError as error:
            found.faults[name] = error
    return found


def _convert(name: str, text: str, kind: Any) -> Any:  # noqa: ANN401 - any type of a field
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigError):  # a sentence of its own
            raise error.__cause__ from None
        raise invalid(name, text, error) from None


def metas(kind: Any) -> list[Meta]:  # noqa: ANN401 - any type of a field
    """The annotations of the type of a field, also within a union such as `Port | None`."""
    kinds = (kind, *typing.get_args(kind))
    found = (each for part in kinds for each in getattr(part, "__metadata__", ()))
    return [each for each in found if isinstance(each, Meta)]


def _read(kind: Any, text: str) -> object:  # noqa: ANN401 - a type with a syntax of its own
    return kind.parse(text)


def load_or_exit(kind: type[S], others: Mapping[str, str] | None = None) -> S:
    """Read the settings of a process; end it with one sentence and exit code 2 if that fails.

    Args:
        kind: see `load`.
        others: variables that are read where the environment does not give them.
    """
    try:
        return load(kind, {**os.environ, **(others or {})})
    except ConfigError as error:
        refuse(str(error))


def given_names(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The variables of `kind` that the environment of the process gives."""
    given = read(kind, os.environ).given
    return frozenset(f.encode_name for f in msgspec.structs.fields(kind) if f.name in given)


def refuse(sentence: str) -> NoReturn:
    """End the process because of a setting: `sentence` on standard error, exit code 2."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)


def incarnation(name: str) -> str:
    """Make the name of this run of a process: `name` and 48 random bits, used once."""
    return f"{name}-{secrets.token_hex(6)}"
