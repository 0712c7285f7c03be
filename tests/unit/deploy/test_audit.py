"""What an audit of the pinned packages comes to."""

import msgspec
import pytest

from deploy.audit import verdict

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
    """A service that cannot be reached is told in one sentence, with an exit code of its own."""
    assert verdict(b"") == (3, ["The database of vulnerabilities cannot be reached from here."])
