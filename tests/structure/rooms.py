"""The groups of modules ("rooms"), the imports between them, and circular imports.

A room is a folder directly below a package, with all that is in it; a package's own modules make
one room together. Where a package has more than twice as many modules of its own as a folder may
hold, nothing groups them, and each is a room by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tests.structure.sources import Arrow, Modules, arrows, folders

MOST: Final = 14
"""Modules that a folder may hold."""


def rooms(modules: Modules, *, apart: bool = True) -> dict[str, str]:
    """The room of each module, by the module's name.

    Args:
        modules: of a checkout.
        apart: the own modules of a package that has too many are rooms by themselves; else they
            are one room however many there are.
    """
    counts = folders(modules)
    crowded = {name for name in counts if "/" not in name and counts[name] > 2 * MOST}
    return {
        name: _room(name, module.folder, crowded if apart else set())
        for name, module in modules.items()
    }


def count(modules: Modules, room_of: Mapping[str, str]) -> int:
    """The number of rooms that have a module beside `__init__.py`."""
    return len({room_of[name] for name, module in modules.items() if not module.is_package})


def between(modules: Modules, room_of: Mapping[str, str]) -> set[Arrow]:
    """The imports between rooms: A to B if a module of A imports one of B."""
    ends = {(room_of[here], room_of[there]) for here, there in arrows(modules)}
    return {(here, there) for here, there in ends if here != there}


def circles(found: Iterable[Arrow]) -> list[list[str]]:
    """Groups that import each other, directly or not; the largest first."""
    to: dict[str, set[str]] = {}
    for here, there in found:
        to.setdefault(here, set()).add(there)
    reached = {name: _reached(name, to) for name in to}
    rings = {
        tuple(sorted(other for other in reached[name] if name in reached.get(other, ())))
        for name in to
        if name in reached[name]
    }
    return sorted(map(list, rings), key=lambda ring: (-len(ring), ring))


def _room(name: str, folder: str, crowded: set[str]) -> str:
    package, *inside = folder.split("/")
    if inside:
        return f"{package}/{inside[0]}"
    return name.replace(".", "/") if package in crowded else package


def _reached(name: str, to: Mapping[str, set[str]]) -> set[str]:
    """All names that can be reached from a name, including itself if there is a circle."""
    reached: set[str] = set()
    left = set(to[name])
    while left:
        reached |= left
        left = {there for here in left for there in to.get(here, ())} - reached
    return reached
