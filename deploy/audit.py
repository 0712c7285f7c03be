"""A check of the pinned packages for known vulnerabilities.

It runs pip-audit, which passes packages that its service does not know, such as those of a private
registry. Here an audit with such packages fails. Exit code 0: every package was looked up and none
has a known vulnerability. 1: a package has one. 2: a wrong argument. 3: packages could not be
looked up.
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
    """A known vulnerability, and the versions that do not have it."""

    id: str
    fix_versions: list[str]


class Dependency(msgspec.Struct, frozen=True):
    """A package in pip-audit's report. One without a version was not looked up."""

    name: str
    version: str | None = None
    vulns: list[Vulnerability] = []


class Report(msgspec.Struct, frozen=True):
    """The report of pip-audit."""

    dependencies: list[Dependency]


def verdict(report: bytes) -> tuple[int, list[str]]:
    """The exit code and the lines to print for pip-audit's JSON, which is empty if it failed."""
    try:
        found = msgspec.json.decode(report, type=Report).dependencies
    except msgspec.DecodeError:
        return NOT_LOOKED_UP, ["The database of vulnerabilities cannot be reached from here."]
    bad = [
        f"{each.name} {each.version} has {flaw.id}, fixed in {', '.join(flaw.fix_versions) or '?'}"
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
    """Run pip-audit on the requirements of a running cluster; return the exit code."""
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
