"""What is counted of a checkout, on small made-up ones."""

from pathlib import Path

import pytest

from tests.structure import layers, rooms, sources
from tests.structure.sources import Module, Modules

FLAT = """
[[tool.importlinter.contracts]]
name = "by full names"
type = "layers"
layers = ["gateway.app", "gateway.hub | gateway.keys", "gateway.low", "shared"]

[[tool.importlinter.contracts]]
name = "something else"
type = "independence"
modules = ["gateway", "persister"]
"""

CONTAINED = """
[[tool.importlinter.contracts]]
name = "by names in a container"
type = "layers"
containers = ["gateway"]
exhaustive = true
layers = ["app", "hub | keys", "(low)"]
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def made(*arrows: tuple[str, str]) -> Modules:
    names = {name for arrow in arrows for name in arrow}
    return {
        name: Module(
            name.replace(".", "/") + ".py",
            1,
            frozenset(there for here, there in arrows if here == name),
        )
        for name in names
    }


def test_every_import_counts(tmp_path: Path) -> None:
    """An import counts wherever it stands and however it is written; strangers' do not."""
    text = (
        "import asyncio, shared.codec\n"
        "from typing import TYPE_CHECKING\n"
        "from shared import model\n"
        "if TYPE_CHECKING:\n    from gateway.hub import Hub\n"
        "def late():\n    from ..shared_not import x\n    from .low import y\n"
    )
    root = write(
        tmp_path,
        {
            "gateway/__init__.py": "",
            "gateway/app.py": text,
            "gateway/hub.py": "",
            "gateway/low.py": "",
            "shared/__init__.py": "",
            "shared/codec.py": "",
            "shared/model/__init__.py": "",
            "tests/test_x.py": "import gateway",
        },
    )
    modules = sources.read(root)
    imported = {"shared.codec", "shared.model", "gateway.hub", "gateway.low"}
    assert modules["gateway.app"].imports == imported
    assert modules["gateway.app"].lines == 8
    assert "tests.test_x" not in modules
    assert sources.folders(modules) == {"gateway": 3, "shared": 1}


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    """A folder that is no checkout is told, instead of being measured as an empty one."""
    with pytest.raises(FileNotFoundError, match="no package"):
        sources.read(tmp_path)


@pytest.mark.parametrize("text", [FLAT, CONTAINED])
def test_both_forms_of_layers(text: str, tmp_path: Path) -> None:
    """Layers are read alike from full names and from names in a container."""
    declared = layers.contracts(write(tmp_path, {"pyproject.toml": text}))
    assert layers.depth("gateway", declared) == 3
    assert layers.depth("persister", declared) == 0
    modules = made(("gateway.app", "gateway.low"), ("gateway.other.x", "gateway.hub.y"))
    assert layers.unnamed(modules, "gateway", declared) == ["gateway.other"]


def test_what_runs_against_layers(tmp_path: Path) -> None:
    """An import runs up, from a package's inside too, or between strangers; all others may be."""
    declared = layers.contracts(write(tmp_path, {"pyproject.toml": CONTAINED}))
    up = ("gateway.low", "gateway.hub.x")
    aside = ("gateway.hub.x", "gateway.keys")
    fine = {
        ("gateway.app", "gateway.low"),
        ("gateway.hub.x", "gateway.hub.y"),
        ("gateway.other", "gateway.app"),
        ("gateway.low", "shared"),
    }
    assert layers.upwards({up, aside, *fine}, declared) == [up]
    assert layers.sideways({up, aside, *fine}, declared) == [aside]


def test_rooms_and_their_arrows() -> None:
    """A room is a folder below a package or a package's own modules; what is in it counts once."""
    modules = made(
        ("gateway.app", "gateway.api.dispatcher"),
        ("gateway.__main__", "gateway.api.handlers.rooms"),
        ("gateway.api.dispatcher", "gateway.api.handlers.rooms"),
        ("gateway.api.handlers.rooms", "shared.codec"),
    )
    room_of = rooms.rooms(modules)
    assert set(room_of.values()) == {"gateway", "gateway/api", "shared"}
    arrows = {("gateway", "gateway/api"), ("gateway/api", "shared")}
    assert rooms.between(modules, room_of) == arrows


def test_what_nothing_groups() -> None:
    """The own modules of a package with far too many are rooms by themselves, unless asked not."""
    many = [f"gateway.m{number:02}" for number in range(2 * rooms.MOST + 1)]
    modules = made(*((many[0], other) for other in [*many[1:], "gateway.api.x"]))
    apart, together = rooms.rooms(modules), rooms.rooms(modules, apart=False)
    assert rooms.count(modules, apart) == len(many) + 1
    assert rooms.between(modules, together) == {("gateway", "gateway/api")}
    assert rooms.count(modules, together) == 2


def test_circles() -> None:
    """Whoever can be reached from itself is in a circle with all on the way, the largest first."""
    arrows = {("a", "b"), ("b", "a"), ("b", "c"), ("x", "y"), ("y", "z"), ("z", "x"), ("c", "x")}
    assert rooms.circles(arrows) == [["x", "y", "z"], ["a", "b"]]
    assert rooms.circles({("a", "b"), ("b", "c"), ("a", "c")}) == []
