"""The Lua scripts that run inside the broker.

Each file opens with the meaning of its KEYS, its ARGV and its answer. `prelude.lua` is put in front
of every script.
"""

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final

from shared.model import formats

_LIBRARIES: Final = {"announce": ("members",), "open_partition": ("members",)}
"""Files that go in front of a script, behind the prelude."""


@cache
def source(name: str) -> str:
    """The text of the script `<name>.lua`, as it is sent to the server."""
    folder = files(__name__)
    names = ("prelude", *_LIBRARIES.get(name, ()), name)
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in names)
    placeholders = {"@OLDEST@": formats.OLDEST, "@NEWEST@": formats.NEWEST}
    for placeholder, number in placeholders.items():
        text = text.replace(placeholder, str(number))
    return text


@cache
def digest(name: str) -> str:
    """The SHA-1 by which the server knows the script `<name>.lua`."""
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()
