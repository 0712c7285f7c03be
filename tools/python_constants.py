"""The constants of the Python client: a module made from `shared/protocol`."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from shared.protocol import limits
from shared.protocol.closes import CLOSES, Reconnect
from shared.protocol.errors import ERRORS
from tools.reference import docstrings

HEADER: Final = '''"""Constants of the protocol: error codes, close codes and limits.

Generated from the server's `shared/protocol` by `make generate`; do not edit.
"""

from enum import IntEnum
from typing import Final, Literal

'''

CLOSE_SETS: Final[dict[str, tuple[Reconnect, str]]] = {
    "FINAL_CLOSE_CODES": (
        "no",
        "Close codes after which another connection would end in the same way.",
    ),
    "TOKEN_CLOSE_CODES": (
        "token",
        "Close codes after which a client connects again only if it has a token.",
    ),
    "NEW_TOKEN_CLOSE_CODES": (
        "new_token",
        "Close codes after which a client connects again only with a fresh token.",
    ),
}
"""Sets of close codes, by name: the reconnect rule of what is in each, and its text."""


def module() -> str:
    """Return the text of the module, as the formatter leaves it."""
    parts = [_error_codes(), _close_codes(), *_close_sets(), *_limits()]
    return _formatted(HEADER + "\n\n".join(parts) + "\n")


def number(value: float) -> str:
    """Write a number as code, in groups of digits where it is long."""
    return f"{value:_}" if value >= 10_000 else str(value)  # noqa: PLR2004 - as people write it


def _error_codes() -> str:
    codes = ", ".join(f'"{code}"' for code in ERRORS)
    retryable = ", ".join(f'"{code}"' for code, rule in ERRORS.items() if rule.retryable)
    return (
        f'ErrorCode = Literal[{codes}]\n"""The code of an error of the server."""\n\n'
        f"RETRYABLE_ERRORS: Final[frozenset[str]] = frozenset({{{retryable}}})\n"
        '"""Codes of errors after which the same request may succeed later, unchanged."""'
    )


def _close_codes() -> str:
    members = "\n".join(f"    {code.name} = {code.value}" for code in CLOSES)
    return f'class CloseCode(IntEnum):\n    """Codes with which connections end."""\n\n{members}\n'


def _close_sets() -> Iterator[str]:
    for name, (reconnect, text) in CLOSE_SETS.items():
        members = [code for code, rule in CLOSES.items() if rule.reconnect == reconnect]
        codes = ", ".join(f"CloseCode.{code.name}" for code in members)
        yield f'{name}: Final = frozenset({{{codes}}})\n"""{text}"""'


def _limits() -> Iterator[str]:
    for name, text in docstrings.constants(limits.__name__).items():
        closing = '"""' if not text.endswith('"') else ' """'
        yield f'{name}: Final = {number(getattr(limits, name))}\n"""{text}{closing}'


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "constants.py", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return done.stdout
