"""The files of a release: what is in them, and what is not."""

import re
import tarfile
import zipfile
from email.parser import Parser

from tests.sdk.python.installed import Built

SERVER = re.compile(
    r"^\s*(?:from|import) (?:shared|gateway|persister|deploy|tests|tools)\b", re.MULTILINE
)


def test_the_wheel_has_the_client_and_nothing_else(built: Built) -> None:
    """The wheel is `parley_chat`, typed and with its licence, and imports nothing of the server."""
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
        sources = {name: archive.read(name).decode() for name in names if name.endswith(".py")}
    assert {name.split("/")[0] for name in names} == {
        "parley_chat",
        "parley_chat-0.1.0.dist-info",
    }
    assert "parley_chat/py.typed" in names
    assert "parley_chat-0.1.0.dist-info/licenses/LICENSE" in names
    assert [name for name, source in sources.items() if SERVER.search(source)] == []


def test_the_wheel_says_what_it_needs(built: Built) -> None:
    """Its metadata have name, version, licence and lower bounds; the terminal is an extra."""
    with zipfile.ZipFile(built.wheel) as archive:
        text = archive.read("parley_chat-0.1.0.dist-info/METADATA").decode()
    told = Parser().parsestr(text)
    assert (told["Name"], told["Version"]) == ("parley-chat", "0.1.0")
    assert (told["License-Expression"], told["Requires-Python"]) == ("MIT", ">=3.11")
    assert "pip install" in text
    needed = told.get_all("Requires-Dist") or []
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+(; extra == 'terminal')?", each) for each in needed)
    assert {each.split(">=")[0] for each in needed if "extra" not in each} == {
        "msgpack",
        "msgspec",
        "tenacity",
        "websockets",
    }
    assert [each.split(">=")[0] for each in needed if "extra" in each] == ["prompt-toolkit"]


def test_the_sdist_has_what_a_build_needs(built: Built) -> None:
    """The sdist, which the wheel was built from, has the sources, the licence and the README."""
    with tarfile.open(built.sdist) as archive:
        names = {name.removeprefix("parley_chat-0.1.0/") for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "src/parley_chat/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests", "shared"))]
