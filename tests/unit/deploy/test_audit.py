"""What an audit of the pinned packages comes to."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from deploy.audit import main, verdict, verdict_inside
from deploy.servers.balancer_program import WHEELS
from deploy.servers.builds import Component
from deploy.supply.accepted import Accepted
from deploy.supply.inventory import Inside
from tests.unit.deploy.supply.test_osv import database

SOUND = {"name": "one", "version": "1.0", "vulns": []}
SKIPPED = {"name": "two", "skip_reason": "Dependency not found"}
FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": "..."}
FLAWED = {"name": "three", "version": "1.0", "vulns": [FLAW]}


@pytest.mark.parametrize(
    ("dependencies", "code"),
    [
        ([SOUND], 0),
        ([SOUND, FLAWED], 1),
        ([SOUND, SKIPPED], 3),
        ([SKIPPED], 3),
        ([SKIPPED, FLAWED], 1),
        ([], 3),
    ],
)
def test_an_audit_passes_only_if_it_looked(dependencies: list[object], code: int) -> None:
    """Packages that could not be looked up fail an audit, otherwise than vulnerable ones do."""
    found, said = verdict(msgspec.json.encode({"dependencies": dependencies, "fixes": []}))
    assert found == code
    assert any("three 1.0 has PYSEC-1, fixed in 1.1" in line for line in said) == (code == 1)


def test_an_audit_that_ended_early() -> None:
    """A service that cannot be reached is told apart from an audit that fails by itself."""
    outage = b"Traceback ...\nrequests.exceptions.ProxyError: HTTPSConnectionPool(...)\n"
    reach = "The database of vulnerabilities cannot be reached from here."
    assert verdict(b"", errors=outage) == (3, [reach])
    blocked = b"PyPI is not redirecting properly\nTip: your network may be blocking this service.\n"
    assert verdict(b"", errors=blocked) == (3, [reach])
    code, said = verdict(b"", errors=b"...\nModuleNotFoundError: No module named 'pip_audit'\n")
    assert (code, said) == (
        4,
        ["pip-audit failed: ModuleNotFoundError: No module named 'pip_audit'"],
    )


def test_requirements_that_cannot_be_read_fail_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An audit of requirements with a fault in them is no audit out of reach of its database."""
    file = tmp_path / "runtime.txt"
    file.write_text("one==\n")
    monkeypatch.setattr("deploy.audit.REQUIREMENTS", file)
    monkeypatch.setattr("sys.argv", ["deploy.audit"])
    assert main() == 4
    assert "invalid specifier at line 1" in capfd.readouterr().err


def test_a_wheel_that_cannot_be_looked_into_fails_the_audit(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An inventory without what is inside a program is not whole, and does not pass."""
    monkeypatch.setitem(WHEELS, "haproxy", lambda: "/bin/false")
    monkeypatch.setattr("sys.argv", ["deploy.audit"])
    assert main() == 4
    assert "What is inside the wheels is not known: the program of" in capfd.readouterr().err


def test_an_accepted_vulnerability_passes() -> None:
    """What is accepted is told, and fails again after its day."""
    until = date(2027, 1, 31)
    entry = Accepted(package="three", finding="PYSEC-1", until=until, reason="not called")
    report = msgspec.json.encode({"dependencies": [SOUND, FLAWED], "fixes": []})
    code, said = verdict(report, [entry], until)
    assert (code, said) == (
        0,
        ["three 1.0 has PYSEC-1, fixed in 1.1; accepted until 2027-01-31: not called"],
    )
    assert verdict(report, [entry], date(2027, 2, 1))[0] == 1


OLD = Inside("one", Component("OpenSSL", "3.0.15"), "pkg:generic/openssl")
NEW = Inside("one", Component("OpenSSL", "3.5.4"), "pkg:generic/openssl")
LET_PASS = Accepted(
    package="one",
    component="OpenSSL",
    finding="unmaintained",
    until=date(2027, 5, 31),
    reason="on loopback",
)


@pytest.mark.parametrize(
    ("inside", "accepted", "vulnerabilities", "code"),
    [
        (NEW, [], [], 0),
        (NEW, [], ["CVE-1"], 1),
        (OLD, [], [], 1),
        (OLD, [LET_PASS], [], 0),
        (OLD, [LET_PASS], ["CVE-1"], 1),
        (NEW, [], None, 3),
        (OLD, [], None, 1),  # its age is known, whether the database can be reached or not
        (OLD, [LET_PASS], None, 3),
    ],
)
def test_what_is_inside_wheels_is_judged(
    inside: Inside, accepted: list[Accepted], vulnerabilities: list[str] | None, code: int
) -> None:
    """A library inside a wheel fails for what is known of it, or its age, unless that is accepted.

    Without vulnerabilities there is a database that answers so; with None there is none at all.
    """
    known = [{"id": each} for each in vulnerabilities or ()]
    answer = msgspec.json.encode({"results": [{"vulns": known} if known else {}]})
    with database(lambda _: answer) as reachable:
        address = "http://127.0.0.1:1/" if vulnerabilities is None else reachable
        found, said = verdict_inside([inside], accepted, date(2026, 11, 30), address)
    assert found == code
    assert any("could not be looked up" in line for line in said) == (vulnerabilities is None)
    assert any("is not maintained" in line for line in said) == (inside is OLD)
    assert any("has CVE-1" in line for line in said) == (vulnerabilities == ["CVE-1"])
