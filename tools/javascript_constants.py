"""The constants of the JavaScript client: a module and its types, made from `shared/protocol`."""

from collections.abc import Iterator
from typing import Final

from shared.protocol import limits
from shared.protocol.closes import CLOSES, CloseCode
from shared.protocol.errors import ERRORS, Code
from tools.python_constants import CLOSE_SETS, number
from tools.reference import docstrings

HEADER: Final = """\
// Constants of the protocol: error codes, close codes and limits.
// Generated from the server's `shared/protocol` by `make generate`; do not edit.

"""

RETRYABLE: Final = "Codes of errors after which the same request may succeed later, unchanged."


def module() -> str:
    """Return the text of the module."""
    members = "\n".join(f"  {code.name}: {code.value}," for code in CLOSES)
    sets = [
        f"export const {name} = new Set([{', '.join(str(code.value) for code in _set(name))}]);"
        for name in CLOSE_SETS
    ]
    numbers = [f"export const {name} = {number(getattr(limits, name))};" for name in _limits()]
    return HEADER + "\n".join(
        [
            f"export const RETRYABLE_ERRORS = new Set([\n{_lines(_retryable())}\n]);",
            f"export const CLOSE_CODES = Object.freeze({{\n{members}\n}});",
            *sets,
            *numbers,
            "",
        ]
    )


def types() -> str:
    """Return the text of the types."""
    members = "\n".join(
        f"  /** {rule.meaning} */\n  readonly {code.name}: {code.value};"
        for code, rule in CLOSES.items()
    )
    codes = "\n".join(f'  | "{code}"' for code in ERRORS)
    parts = [
        f"/** The code of an error of the server. */\nexport type ErrorCode =\n{codes};",
        f"/** {RETRYABLE} */\nexport const RETRYABLE_ERRORS: ReadonlySet<string>;",
        f"/** Codes with which connections end. */\nexport const CLOSE_CODES: {{\n{members}\n}};",
        *(
            f"/** {text} */\nexport const {name}: ReadonlySet<number>;"
            for name, (_, text) in CLOSE_SETS.items()
        ),
        *(
            f"/** {text} */\nexport const {name}: {number(getattr(limits, name)).replace('_', '')};"
            for name, text in _limits().items()
        ),
    ]
    return HEADER + "\n\n".join(parts) + "\n"


def _set(name: str) -> Iterator[CloseCode]:
    reconnect, _ = CLOSE_SETS[name]
    return (code for code, rule in CLOSES.items() if rule.reconnect == reconnect)


def _retryable() -> Iterator[Code]:
    return (code for code, rule in ERRORS.items() if rule.retryable)


def _lines(codes: Iterator[Code]) -> str:
    return "\n".join(f'  "{code}",' for code in codes)


def _limits() -> dict[str, str]:
    return dict(docstrings.constants(limits.__name__))
