"""Reading settings from the environment; nothing else reads `os.environ`."""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class ConfigError(ValueError):
    """A setting has a value that Parley cannot run with; the text is one sentence for a user."""


def invalid(name: str, value: str, reason: object) -> ConfigError:
    """Make the error of a setting that is not valid, without quoting a secret or a part of one.

    Args:
        name: its environment variable.
        value: what it was set to.
        reason: what is wrong, perhaps in the words of a library, which may quote the value.
    """
    if name.endswith(("_KEY", "_KEYS")) or (name.endswith("_URL") and re.search("[@?]", value)):
        return ConfigError(f"{name} is not valid; it is not shown, as it may hold a password")
    return ConfigError(f"{name}={value} is not valid: {reason}")


def load(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read the fields of `kind` from the environment; an empty value counts as not given.

    Args:
        kind: a Struct whose encoded field names are environment variables.
        environ: the variables; the process's own unless given.

    Raises:
        ConfigError: a value is not what its field takes. The text names the variable.
    """
    given = os.environ if environ is None else environ
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    values = {name: given[name] for name in known if given.get(name)}
    try:
        return msgspec.convert(values, kind, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`")
        raise invalid(name, values.get(name, ""), reason) from None


def _read(kind: Any, text: str) -> object:  # noqa: ANN401 - a type with a syntax of its own
    return kind.parse(text)


def load_or_exit(kind: type[S]) -> S:
    """Read the settings of a process; end it with one sentence and exit code 2 if that fails."""
    try:
        return load(kind)
    except ConfigError as error:
        refuse(str(error))


def refuse(sentence: str) -> NoReturn:
    """End the process because of a setting: `sentence` on standard error, exit code 2."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)


def incarnation(name: str) -> str:
    """Make the name of this run of a process: `name` and 48 random bits, used once."""
    return f"{name}-{secrets.token_hex(6)}"
