"""The vocabulary of the trail, and the page that describes it."""

import inspect
import re
from pathlib import Path
from typing import get_args

import shared.trail.events as module
from shared.trail.events import EVENTS, AccessRefusal, LoginRefusal, SecurityEvent

PAGE = (Path(__file__).parents[4] / "docs" / "operate" / "monitoring.md").read_text()
SECTION = PAGE.split("## Security events\n")[1].split("\n## ")[0]


def row(event: type[SecurityEvent]) -> str:
    """The row of an event in the page's table."""
    summary = (inspect.getdoc(event) or "").split("\n\n")[0].replace("\n", " ").rstrip(".")
    fields = ", ".join(f"`{name}`" for name in event.__struct_fields__)
    return f"| `{event.kind()}` | {summary[0].lower()}{summary[1:]} | {fields} | `{event.OWASP}` |"


def test_every_event_is_described() -> None:
    """The page has a row for each event, with its fields and OWASP's term, and no other."""
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    assert rows == [row(event) for event in EVENTS]


def test_every_reason_is_described() -> None:
    """The page lists each reason for which a login or an action is refused, and no other."""
    logins, actions = re.findall(
        r"(?:reasons of `login_refused`:|of `access_refused`:) ([^;.]*)", SECTION
    )
    assert re.findall(r"`(\w+)`", logins) == list(get_args(LoginRefusal))
    assert re.findall(r"`(\w+)`", actions) == list(get_args(AccessRefusal))


def test_every_event_is_in_the_vocabulary() -> None:
    """No event is defined beside the vocabulary, and each is named once."""
    found = [each for each in vars(module).values() if inspect.isclass(each)]
    events = {each for each in found if issubclass(each, SecurityEvent) and each.OWASP}
    assert events == set(EVENTS)
    assert len({event.kind() for event in EVENTS}) == len(EVENTS)
