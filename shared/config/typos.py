"""Variables that are no settings, and are almost the name of one."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

SIMILARITY: Final = 0.85
"""The least similarity of two names, of 1: about one wrong letter in seven."""

PREFIX: Final = "PARLEY_"
"""A prefix that names of settings do not have."""


def near_misses(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A sentence for each variable that was probably meant to be a setting.

    Names of settings have no prefix, so most variables of an environment belong to others; only
    those that differ from a setting by a letter or two are named.

    Args:
        environ: the variables.
        known: the names of all settings.
    """
    found = {name: _meant(name, known) for name in sorted(environ) if name not in known}
    return [
        f"{name} is no setting: did you mean {meant}?" for name, meant in found.items() if meant
    ]


def _meant(name: str, known: Collection[str]) -> str:
    plain = name.upper().removeprefix(PREFIX)
    close = [plain] if plain in known else get_close_matches(plain, known, 1, SIMILARITY)
    return close[0] if close else ""
