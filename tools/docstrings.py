"""Texts for readers, taken from the docstrings of the code."""

from collections.abc import Mapping
from functools import cache

import griffe


@cache
def constants(module: str) -> Mapping[str, str]:
    """Return the text of each constant of a module: the docstring below it, on one line.

    Raises:
        ValueError: a constant has none.
    """
    loaded = griffe.load(module, try_relative_path=False)
    found = {}
    for name, member in loaded.members.items():
        if isinstance(member, griffe.Attribute):
            if member.docstring is None:
                raise ValueError(f"{module}.{name} has no docstring below it")
            found[name] = " ".join(member.docstring.value.split())
    return found
