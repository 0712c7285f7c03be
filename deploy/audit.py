"""A check of the pinned packages for known vulnerabilities.

pip-audit looks. It calls packages sound that its service knows nothing
of, as behind a registry of one's own, where it would pass having looked at nothing: so here such
an audit has failed. Exit code 0 where every package was looked up and none has a vulnerability
that is known, 1 where one has, 2 for a wrong argument, 3 where packages could not be looked up.
"""

import subprocess
import sys
from pathlib import Path

import msgspec

from shared.command_line import command_line

REQUIREMENTS = Path(__file__).parent.parent / "requirements" / "runtime.txt"

EPILOG = "Other arguments are those of pip-audit: `python -m pip_audit --help` lists them."

VULNERABLE = 1
WRONG_ARGUMENT = 2
NOT_LOOKED_UP = 3


class Vulnerability(msgspec.Struct, frozen=True):
    """A known one, and the versions that do not have it."""

    id: str
    fix_versions: list[str]


class Dependency(msgspec.Struct, frozen=True):
    """A package, as pip-audit found it; without a version it was not looked up."""

    name: str
    version: str | None = None
    vulns: list[Vulnerability] = []


class Report(msgspec.Struct, frozen=True):
    """What pip-audit writes."""

    dependencies: list[Dependency]


def verdict(report: bytes) -> tuple[int, list[str]]:
    """The exit code, and what there is to say, from pip-audit's JSON; empty if it ended early."""
    try:
        found = msgspec.json.decode(report, type=Report).dependencies
    except msgspec.DecodeError:
        return NOT_LOOKED_UP, ["The database of vulnerabilities cannot be reached from here."]
    bad = [
        f"{each.name} {each.version} has {flaw.id}, mended in {', '.join(flaw.fix_versions) or '?'}"
        for each in found
        for flaw in each.vulns
    ]
    missing = sum(each.version is None for each in found)
    if missing:
        bad.append(
            f"{missing} of {len(found)} packages could not be looked up:"
            " the database of vulnerabilities cannot be reached from here."
        )
    if any(each.vulns for each in found):
        return VULNERABLE, bad
    return (NOT_LOOKED_UP if missing or not found else 0), bad or [
        f"{len(found)} packages, none with a known vulnerability."
    ]


def main() -> int:
    """Run pip-audit over what a running cluster needs; return the exit code."""
    parser = command_line("deploy.audit", __doc__, EPILOG)
    _, passed_on = parser.parse_known_args()
    options = ("--disable-pip", "--progress-spinner", "off", "--format", "json")
    command = (sys.executable, "-m", "pip_audit", *options, "-r", str(REQUIREMENTS), *passed_on)
    ran = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  whoever runs it chooses
    if ran.returncode == WRONG_ARGUMENT:
        parser.error(ran.stderr.decode().splitlines()[-1].removeprefix("pip-audit: error: "))
    code, lines = verdict(ran.stdout)
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
