"""Parts of a name that PRECIS refuses or changes, and that users see: emoji sequences and others.

The profile sees a placeholder in their place.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from shared.names.tables import unicode_tables

PLACEHOLDER: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for a part; a symbol to the profile. A name that has it is refused."""

_TABLE: Final = Path(__file__).with_name("emoji_sequences.txt")
_SEQUENCES: Final = frozenset(
    "".join(chr(int(point, 16)) for point in line.split())
    for line in _TABLE.read_text(encoding="ascii").splitlines()
)
_MAX_SEQUENCE: Final = max(map(len, _SEQUENCES))

_MIDDLE_DOTS: Final = "\u00b7\u30fb"
"""Dots inside names, as Chinese writes foreign ones. PRECIS wants an `l` or kana beside them."""

TATWEEL: Final = "\N{ARABIC TATWEEL}"
"""Makes an Arabic word longer to the eye. It is kept, and not compared."""

_AM_VOWELS: Final = "\N{THAI CHARACTER SARA AM}\N{LAO VOWEL SIGN AM}"
"""NFKC takes them apart, and few fonts show the parts well. They are kept, and compared apart."""

_ACCENTS: Final = "\u00a8\u00af\u00b4\u00b8"
"""Accents that stand alone, often typed for an apostrophe. NFKC puts a space before them."""

_JAMO: Final = "\u3131-\u3163\u3165-\u318e"
"""Korean letters that stand alone, as in ㅋㅋ. NFKC makes conjoining ones of them, which PRECIS
refuses."""

_VARIATIONS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_PRESENTATIONS: Final = "\ufe0e\ufe0f"
_VARIATION: Final = re.compile(f"[{_VARIATIONS}]")
_SINGLES: Final = f"{_MIDDLE_DOTS}{TATWEEL}{_AM_VOWELS}{_ACCENTS}{_JAMO}"
_SINGLE: Final = re.compile(f"[{_SINGLES}]")
_SPECIAL: Final = re.compile(f"[{_SINGLES}{_VARIATIONS}\u200d\u20e3\U000e0020-\U000e007f]")
"""Every part has one of these characters."""

_IDEOGRAPHS: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\U00020000-\U0003ffff]")
_COMPARED: Final = re.compile(f"[{_MIDDLE_DOTS}{_ACCENTS}{_JAMO}\u200d\U000e0020-\U000e007f]")


class Parts(NamedTuple):
    """A text with placeholders for its parts.

    Attributes:
        text: the text with a placeholder for each part.
        parts: the parts, in the order of the placeholders.
    """

    text: str
    parts: tuple[str, ...] = ()

    def fill(self, text: str) -> str:
        """The text with the parts in place of its placeholders, of which it has as many."""
        pieces = text.split(PLACEHOLDER)
        filled = [piece + part for piece, part in zip(pieces, self.parts, strict=False)]
        return "".join([*filled, pieces[-1]])


def take(text: str) -> Parts:
    """Take the parts out of a text that is to be stored."""
    return _taken(text, lambda part: (PLACEHOLDER, (part,)))


def take_compared(text: str) -> Parts:
    """Take the parts out of a text that is to be compared.

    What is not seen is left out: selectors, tatweel. What is still a part after that keeps its
    place; other parts are text, to be compared like other text.
    """
    return _taken(text, _for_comparison)


def _for_comparison(part: str) -> tuple[str, tuple[str, ...]]:
    bare = _VARIATION.sub("", part).replace(TATWEEL, "")
    return (PLACEHOLDER, (bare,)) if _COMPARED.search(bare) else (bare, ())


def _taken(text: str, replace: Callable[[str], tuple[str, tuple[str, ...]]]) -> Parts:
    if not _SPECIAL.search(text):
        return Parts(text)
    pieces: list[str] = []
    parts: list[str] = []
    at = 0
    while at < len(text):
        end = _end_of_part(text, at)
        if end > at:
            piece, found = replace(text[at:end])
            parts += found
        else:
            piece, end = text[at], at + 1
        pieces.append(piece)
        at = end
    return Parts("".join(pieces), tuple(parts))


def _end_of_part(text: str, at: int) -> int:
    """The index after the part that begins at an index; the same index where none begins."""
    if _SINGLE.match(text, at):
        return at + 1
    longest = min(len(text), at + _MAX_SEQUENCE)
    ends = (end for end in range(longest, at + 1, -1) if text[at:end] in _SEQUENCES)
    end = next(ends, at)
    follower = text[max(end, at + 1) :][:1]
    if not follower or not _VARIATION.match(follower):
        return end
    if follower in _PRESENTATIONS:
        is_symbol = unicode_tables.category(text[at]).startswith("S")
        return max(end, at + 1) + 1 if end > at or is_symbol else at
    return at + 2 if _IDEOGRAPHS.match(text, at) else at
