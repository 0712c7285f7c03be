"""How this checkout is put together: what it has reached, and must not lose."""

import pytest

from tests.structure import layers, rooms, sources
from tests.structure.sources import Modules
from tests.support.process import ROOT

SERVER = ("shared", "gateway", "persister", "deploy")


@pytest.fixture(scope="module")
def modules() -> Modules:
    return sources.read(ROOT)


def test_no_circle(modules: Modules) -> None:
    """No modules import each other, not even through others or for type checking."""
    assert rooms.circles(sources.arrows(modules)) == []


def test_small_folders(modules: Modules) -> None:
    """No folder of the server's packages holds more modules than one can keep in mind."""
    counts = sources.folders(modules)
    ours = {folder for folder in counts if folder.split("/")[0] in SERVER}
    assert {folder: counts[folder] for folder in ours if counts[folder] > rooms.MOST} == {}


def test_one_way(modules: Modules) -> None:
    """No import runs back up the declared layers, or between strangers in one."""
    found, declared = sources.arrows(modules), layers.contracts(ROOT)
    assert layers.upwards(found, declared) + layers.sideways(found, declared) == []


def test_all_in_layers(modules: Modules) -> None:
    """Every part of the server's packages stands in a declared layer."""
    declared = layers.contracts(ROOT)
    assert [part for name in SERVER for part in layers.unnamed(modules, name, declared)] == []
