"""The Lua scripts: each file says what its KEYS and ARGV mean, `prelude.lua` goes before all."""

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """The text of `<name>.lua` as it goes to the server."""
    folder = files(__name__)
    parts = [(folder / f"{part}.lua").read_text("utf-8") for part in ("prelude", name)]
    return "\n".join(parts)
