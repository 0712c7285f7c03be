"""Halves of surrogate pairs in JSON, as of a text that was cut inside an emoji.

The grammar of JSON allows them (RFC 8259, section 8.2), and JavaScript writes them. msgspec does
not read them, nor could any database store them.
"""

import re
from typing import Final

MAX_HALF_PAIRS: Final = 100
"""Halves of surrogate pairs that are mended in a text. A text that was cut has one."""

MAX_LOOKS: Final = 1000
"""Places that are looked at in a text, each in a microsecond: halves, rows of whole pairs, and
escaped backslashes before what would be an escape. A text of 64 KiB may have 9,000 of the last."""

# It begins with what is searched for fast, and takes whole pairs at once, with
# what stands between them if that has no backslash.
_PAIRS_OR_HALF: Final = re.compile(
    r"""\\u[dD](?:
        [89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
            (?:[^\\]*\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*
        |(?P<half>[89a-fA-F][0-9a-fA-F]{2})
        )""",
    re.VERBOSE,
)


def replace_half_pairs(text: str) -> str:
    """Replace escapes that are half a surrogate pair by U+FFFD, the first `MAX_HALF_PAIRS`.

    Args:
        text: JSON; also what is none.
    """
    parts: list[str] = []
    kept = at = 0
    for _ in range(MAX_LOOKS):
        found = _PAIRS_OR_HALF.search(text, at)
        if found is None or len(parts) == MAX_HALF_PAIRS:
            break
        between = text[at : found.start()]
        if (len(between) - len(between.rstrip("\\"))) % 2:
            at = found.start() + 1  # its backslash is the second half of one that is escaped
            continue
        at = found.end()
        if found["half"]:
            parts.append(text[kept : found.start()] + r"\ufffd")
            kept = at
    return "".join(parts) + text[kept:]
