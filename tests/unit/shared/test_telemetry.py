"""What a log line looks like."""

import json
import subprocess
import sys

import pytest

from shared.telemetry import escaped
from tests.support.process import ROOT, environ

HOSTILE = "a\r\n2026-01-01T00:00:00Z [info] forged\x1b[31m\x85\u2028\u202e\0"
SAYS = f"""
from shared.config import Settings, load
from shared.telemetry import configure, logger
configure(load(Settings), "test")
try:
    raise ValueError({HOSTILE!r})
except ValueError as error:
    logger("test").error("refused " + {HOSTILE!r}, room={HOSTILE!r}, exc_info=error)
"""


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_one_line_an_event(log_format: str) -> None:
    """An event is one printable line, whatever its words, its fields and its error hold."""
    said = subprocess.run(
        [sys.executable, "-c", SAYS],
        cwd=ROOT,
        env=environ({"LOG_FORMAT": log_format}),
        capture_output=True,
        check=True,
    ).stderr.decode()
    [line] = said.removesuffix("\n").split("\n")
    assert line.isprintable()
    assert r"[info] forged" in line
    if log_format == "json":
        assert json.loads(line)["room"] == HOSTILE


def test_what_is_printable_stays() -> None:
    """Text that shows as it is, of whatever language, is not changed."""
    assert escaped("Grüße, 世界 🌍 \\n") == "Grüße, 世界 🌍 \\n"
    assert escaped("a\tb\x1b[2J\u2029\x7f") == r"a\tb\x1b[2J\u2029\x7f"
