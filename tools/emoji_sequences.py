"""The table of emoji sequences in `shared/names`, made from the tables of the package `emoji`."""

from typing import Final

from emoji import EMOJI_DATA

JOINER: Final = "\u200d"
PRESENTATION: Final = "\ufe0f"
KEYCAP: Final = "\u20e3"
TAGS: Final = range(0xE0020, 0xE0080)


def table() -> str:
    """Return the text of the table: a sequence a line, its code points in hexadecimal.

    It has the sequences that Unicode recommends for interchange and that hold a character which is
    refused elsewhere in a name: joiners, variation selectors and tags. A server reads it at start;
    the package would add 10 MB to each process.
    """
    found = sorted(text for text in EMOJI_DATA if _has_hidden(text))
    return "".join(" ".join(f"{ord(char):04X}" for char in text) + "\n" for text in found)


def _has_hidden(text: str) -> bool:
    hidden = {JOINER, PRESENTATION, KEYCAP}
    return any(char in hidden or ord(char) in TAGS for char in text)
