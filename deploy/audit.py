"""A check of the pinned packages, and of what is inside them, for known vulnerabilities.

It runs pip-audit, which passes packages that its service does not know, such as those of a private
registry. Here an audit with such packages fails. What is inside the wheels (`deploy.supply`) is
looked up in the OSV database, and compared with the dates until which its makers mend it.

What requirements/accepted.toml accepts, for a time and with a reason, is told and does not fail.
Exit code 0: everything was looked up and nothing is left. 1: something has a known vulnerability,
or gets no more fixes. 2: a wrong argument, or a file of accepted findings that cannot be read. 3:
something could not be looked up, as a database was out of reach. 4: the audit itself failed.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from deploy.servers.support import ended
from deploy.supply.accepted import UNMAINTAINED, Accepted, Finding, judge, read_accepted
from deploy.supply.inventory import FAILED, Inside, look_inside
from deploy.supply.osv import ADDRESS, look_up, query
from shared.command_line import command_line
from shared.config import ConfigError

REQUIREMENTS = Path(__file__).parent.parent / "requirements" / "runtime.txt"

EPILOG = "Other arguments are those of pip-audit: `python -m pip_audit --help` lists them."

VULNERABLE = 1
WRONG_ARGUMENT = 2
NOT_LOOKED_UP = 3

OUTAGES = (
    b"requests.exceptions.",
    b"ServiceError",
    b"ConnectionError",
    b"vulnerability feed",
    b"may be blocking this service",
)
"""What pip-audit writes to standard error when its service cannot be reached."""

OUT_OF_REACH = "The database of vulnerabilities cannot be reached from here."


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


def verdict(
    report: bytes,
    accepted: Sequence[Accepted] = (),
    today: date = date.min,
    errors: bytes = b"",
) -> tuple[int, list[str]]:
    """The exit code and the lines to print for what pip-audit found.

    Args:
        report: its JSON; empty if it ended early.
        accepted: findings that do not fail.
        today: the day for which those are looked at.
        errors: what it wrote to standard error.
    """
    try:
        found = msgspec.json.decode(report, type=Report).dependencies
    except msgspec.DecodeError:
        if any(each in errors for each in OUTAGES):
            return NOT_LOOKED_UP, [OUT_OF_REACH]
        lines = errors.decode(errors="replace").strip().splitlines()
        why = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        return FAILED, [f"pip-audit failed: {' '.join(why)}"]
    failing, passing = judge([*_flaws(found)], accepted, today)
    said = failing + passing
    missing = sum(each.version is None for each in found)
    if missing:
        said.append(
            f"{missing} of {len(found)} packages could not be looked up:"
            f" {OUT_OF_REACH[0].lower()}{OUT_OF_REACH[1:]}"
        )
    if failing:
        return VULNERABLE, said
    return (NOT_LOOKED_UP if missing or not found else 0), said or [
        f"{len(found)} packages, none with a known vulnerability."
    ]


def _flaws(dependencies: Iterable[Dependency]) -> Iterator[Finding]:
    for each in dependencies:
        for flaw in each.vulns:
            fixed = ", ".join(flaw.fix_versions) or "?"
            sentence = f"{each.name} {each.version} has {flaw.id}, fixed in {fixed}"
            yield Finding(each.name, "", flaw.id, sentence)


def verdict_inside(
    components: Sequence[Inside],
    accepted: Sequence[Accepted],
    today: date,
    address: str = ADDRESS,
) -> tuple[int, list[str]]:
    """The exit code and the lines to print for what is inside the wheels.

    Args:
        components: what is inside them.
        accepted: findings that do not fail.
        today: the day for which it is asked who still gets fixes.
        address: of the OSV database.
    """
    findings = [
        Finding(
            each.package,
            old.component.name,
            UNMAINTAINED,
            f"{old} inside {each.package} is not maintained ({old.source})",
        )
        for each in components
        for old in ended([each.component], today)
    ]
    unreachable = ""
    try:
        for each, id_ in look_up(components, address):
            sentence = f"{each.component} inside {each.package} has {id_}"
            findings.append(Finding(each.package, each.component.name, id_, sentence))
    except OSError as error:
        unreachable = f"{len(components)} components could not be looked up: {error}"
    failing, passing = judge(findings, accepted, today)
    asked = sum(query(each) is not None for each in components)
    said = f"{len(components)} components inside wheels, {asked} of a kind that the database knows."
    code = VULNERABLE if failing else NOT_LOOKED_UP if unreachable else 0
    return code, [*failing, *passing, unreachable or said]


def main() -> int:
    """Check what a running cluster requires; return the exit code."""
    parser = command_line("deploy.audit", __doc__, EPILOG)
    _, passed_on = parser.parse_known_args()
    today = datetime.now(UTC).date()
    try:
        accepted = read_accepted()
    except ConfigError as error:
        parser.error(str(error))
    options = ("--disable-pip", "--progress-spinner", "off", "--format", "json")
    command = (sys.executable, "-m", "pip_audit", *options, "-r", str(REQUIREMENTS), *passed_on)
    ran = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  whoever runs it chooses
    if ran.returncode == WRONG_ARGUMENT:
        parser.error(ran.stderr.decode().splitlines()[-1].removeprefix("pip-audit: error: "))
    packages, lines = verdict(ran.stdout, accepted, today, ran.stderr)
    try:
        inside, more = verdict_inside(look_inside(), accepted, today)
    except OSError as error:
        inside, more = FAILED, [str(error)]
    for line in lines + more:
        sys.stderr.write(f"{line}\n")
    return VULNERABLE if VULNERABLE in {packages, inside} else max(packages, inside)


if __name__ == "__main__":
    sys.exit(main())
