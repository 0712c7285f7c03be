"""The Lua scripts: each file says what its KEYS and ARGV mean, `prelude.lua` goes before all."""

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final

from shared.model import formats

_LIBRARIES: Final = {"announce": ("members",), "open_partition": ("members",)}
"""What goes in front of some of them, behind the prelude."""


@cache
def source(name: str) -> str:
    """The text of `<name>.lua` as it goes to the server."""
    folder = files(__name__)
    names = ("prelude", *_LIBRARIES.get(name, ()), name)
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in names)
    placeholders = {"@OLDEST@": formats.OLDEST, "@NEWEST@": formats.NEWEST}
    for placeholder, number in placeholders.items():
        text = text.replace(placeholder, str(number))
    return text


@cache
def digest(name: str) -> str:
    """How the server names `<name>.lua`."""
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()
