"""Values as they stand in environments: what is left out around them, and what is refused.

Values come from files that somebody wrote, with line ends of Windows, with quotes that a reader of
such files kept, or pasted with characters that nobody sees. What stands around a value is left out.
A character that cannot be meant is refused by its name, since with it in a path, a name or a key
nothing would look wrong and nothing would work.
"""

import unicodedata
from typing import Final

from shared.config.errors import ConfigError, is_secret

BLANKS: Final = " \t\r\n\v\f"
"""Characters that are left out around a value."""

QUOTES: Final = "\"'"

PEM: Final = "-----BEGIN "
"""What a key or certificate as PEM begins with: the only value that may have lines."""

_NAMES: Final = {
    "\t": "a tab",
    "\n": "a line feed",
    "\r": "a carriage return",
    " ": "a blank",
    '"': "a quotation mark",
    "'": "an apostrophe",
    "\ufeff": "a byte order mark",
}

_TYPOGRAPHIC: Final = (
    "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a`\u00b4"
)
"""Quotes that word processors and web pages make of those above."""

_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNSEEN: Final = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Characters that cannot be meant: of these categories, and letters that show nothing."""


def clean(name: str, text: str) -> str:
    """Return a value without what stands around it.

    Nothing is left out of a key: whoever has the other copy of it may have read it with its quotes
    or its line end, so these are refused instead.

    Args:
        name: its environment variable.
        text: the value as it was set.

    Raises:
        ConfigError: it has a character that cannot be meant. The text names the character and does
            not show the value.
    """
    value = _unquoted(name, text.strip(BLANKS)).strip(BLANKS)
    if is_secret(name) and value and value != text:
        raise _refusal(name, text, 0 if text[0] != value[0] else len(text) - 1)
    lines = BLANKS if PEM in value else ""
    for position, character in enumerate(value):
        if _cannot_be_meant(character) and character not in lines:
            raise _refusal(name, value, position)
    for position in (0, len(value) - 1) if value else ():
        if value[position] in _TYPOGRAPHIC:
            raise _refusal(name, value, position)
    return value


def described(character: str) -> str:
    """A character by its name and number, such as `a carriage return (U+000D)`."""
    if "\udc80" <= character <= "\udcff":  # how Python reads such a byte from the environment
        return f"the byte 0x{ord(character) - 0xDC00:02X}, which is not UTF-8,"
    code = f"U+{ord(character):04X}"
    if named := _NAMES.get(character):
        return f"{named} ({code})"
    return f"the character {unicodedata.name(character, 'of control')} ({code})"


def _unquoted(name: str, text: str) -> str:
    """The text without one pair of quotes around it."""
    for quote in QUOTES:
        if len(text) > 1 and text[0] == text[-1] == quote:
            return text[1:-1]
        # A path may have a quote at one end and its partner inside.
        if text and quote in (text[0], text[-1]) and text.count(quote) % 2:
            raise _refusal(name, text, 0 if text[0] == quote else len(text) - 1)
    return text


def _cannot_be_meant(character: str) -> bool:
    category = unicodedata.category(character)
    unseen = category in _UNSEEN_CATEGORIES or character in _UNSEEN
    return unseen or (category == "Zs" and character != " ")


def _refusal(name: str, text: str, position: int) -> ConfigError:
    where = "in it"
    if position == 0:
        where = "at its beginning"
    elif position == len(text) - 1:
        where = "at its end"
    return ConfigError(f"{name} has {described(text[position])} {where}: remove it")
