"""Frames that were really sent, for the pages of the reference.

`tests/cluster/test_reference.py` records them from a cluster (`RECORD_EXAMPLES=1`), and checks that
a cluster still answers so.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("examples.json")

Example = dict[str, Any]


@cache
def recorded() -> dict[str, dict[str, Example]]:
    """Return the frames of each event: those that clients send, their replies, those received."""
    found: dict[str, dict[str, Example]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def sent(event: str) -> Example:
    """Return a frame by which a client asks for an event."""
    return recorded()["sent"][event]


def reply(event: str) -> Example:
    """Return the reply to that frame."""
    return recorded()["replies"][event]


def received(event: str) -> Example:
    """Return a frame that the server sends."""
    return recorded()["received"][event]


def error() -> Example:
    """Return a frame that refuses a request."""
    return recorded()["errors"]["rate_limited"]
