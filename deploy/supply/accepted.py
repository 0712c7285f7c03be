"""Findings of the audit that somebody has looked at and accepted, for a time and with a reason."""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from shared.config import ConfigError

FILE: Final = Path(__file__).parents[2] / "requirements" / "accepted.toml"

UNMAINTAINED: Final = "unmaintained"
"""The finding that a component gets no more fixes; others are ids of vulnerabilities."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Finding(NamedTuple):
    """Something that speaks against a package, or a component inside it.

    Attributes:
        package: its name on PyPI.
        component: inside it, such as `OpenSSL`; empty for the package itself.
        what: an id, or `UNMAINTAINED`.
        sentence: the same for people.
    """

    package: str
    component: str
    what: str
    sentence: str


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that does not fail the audit, until the end of a day."""

    package: Text
    finding: Text
    until: date
    reason: Text
    component: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    accepted: list[Accepted] = []


def read_accepted(file: Path = FILE) -> list[Accepted]:
    """Read what is accepted.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return msgspec.convert(tomllib.loads(file.read_text()), _File).accepted
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None


def judge(
    findings: Sequence[Finding], accepted: Sequence[Accepted], today: date
) -> tuple[list[str], list[str]]:
    """Part findings into those that fail the audit and those that are accepted, a line for each."""
    by_name = {(each.package, each.component, each.finding): each for each in accepted}
    failing, passing = [], []
    for finding in findings:
        entry = by_name.get((finding.package, finding.component, finding.what))
        if entry is None:
            failing.append(finding.sentence)
        elif entry.until < today:
            failing.append(f"{finding.sentence}; that was accepted until {entry.until}")
        else:
            passing.append(f"{finding.sentence}; accepted until {entry.until}: {entry.reason}")
    return failing, passing
