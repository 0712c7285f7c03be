"""Lines of the trail."""

import json
import logging
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared import telemetry
from shared.config import Settings, load
from shared.telemetry import configure
from shared.trail import Source, Trail
from shared.trail.events import Login, LoginRefused, OperatorAction, OriginRefused

NASTY = 'a"b\n2026 security: login user=root\r\x1b[2J\u202e\u2028\x00\ud800 \\'
ESCAPED = 'a"b\\n2026 security: login user=root\\r\\x1b[2J\\u202e\\u2028\\x00\\ud800 \\'

ANN = Login(user="ann", how="token", address="192.0.2.1", transport="rest")


def trail_in(path: Path, log_format: str = "text") -> Trail:
    """The trail of a process, with a file."""
    settings = load(Settings, {"SECURITY_LOG": str(path), "LOG_FORMAT": log_format})
    return Trail(settings, "gateway-1")


def test_a_line_of_the_file(tmp_path: Path) -> None:
    """A line is one object with the version, the time, the process and the fields there are."""
    trail = trail_in(tmp_path / "security.log")
    trail.note(LoginRefused(reason="token_missing", address="192.0.2.1", transport="rest"))
    trail.close()
    [line] = (tmp_path / "security.log").read_text().splitlines()
    found = json.loads(line)
    assert found.pop("at").endswith("Z")
    assert found == {
        "v": 1,
        "process": "gateway-1",
        "event": "login_refused",
        "reason": "token_missing",
        "address": "192.0.2.1",
        "transport": "rest",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (NASTY, ESCAPED),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "…"),
        ("\U000e0001" * 100_000, "\\U000e0001" * 200 + "…"),
    ],
)
def test_what_others_wrote(tmp_path: Path, text: str, shown: str) -> None:
    """What others wrote is escaped and cut, in the file and in lines of either format."""
    event = OriginRefused(origin=text, address="192.0.2.1")
    with capture_logs() as said:
        for log_format in ("json", "text"):
            trail = trail_in(tmp_path / "security.log", log_format)
            trail.note(event)
            trail.close()
    written = (tmp_path / "security.log").read_bytes()
    assert [json.loads(line)["origin"] for line in written.split(b"\n")[:-1]] == [shown] * 2
    assert said[0]["origin"] == shown
    quoted = shown if shown.isalnum() else json.dumps(shown, ensure_ascii=False)
    assert said[1]["event"] == f"security: origin_refused origin={quoted} address=192.0.2.1"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_one_line_on_standard_error(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event is one line of the log, whatever its values, and whatever `LOG_LEVEL` is."""
    settings = load(Settings, {"LOG_FORMAT": log_format, "LOG_LEVEL": "error"})
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    level = root.level
    try:
        configure(settings, "gateway-1")
        monkeypatch.setattr("shared.trail.trail.log", telemetry.logger(telemetry.SECURITY))
        Trail(settings, "gateway-1").note(OriginRefused(origin=NASTY, address="192.0.2.1"))
    finally:
        root.setLevel(level)
    [line] = capsys.readouterr().err.split("\n")[:-1]
    assert line.isprintable()
    if log_format == "json":
        assert json.loads(line)["origin"] == ESCAPED
    else:
        assert line.endswith(f"origin={json.dumps(ESCAPED)} address=192.0.2.1")


def test_the_first_of_many_requests(tmp_path: Path) -> None:
    """Of events that are the same the first is written, and of others each."""
    trail = trail_in(tmp_path / "security.log")
    source = Source(user="ann")
    for _ in range(1000):
        trail.note_first(ANN, source)
    trail.note_first(Login(user="ann", how="token", address="::1", transport="rest"), source)
    trail.close()
    found = [json.loads(line) for line in (tmp_path / "security.log").read_text().splitlines()]
    assert [(line["event"], line["address"]) for line in found] == [
        ("login", "192.0.2.1"),
        ("login", "::1"),
    ]


def test_the_first_is_the_first_for_a_while(tmp_path: Path) -> None:
    """After 15 minutes, or 10,000 other events, an event is written again as the first."""
    clock = 0.0
    settings = load(Settings, {"SECURITY_LOG": str(tmp_path / "security.log")})
    trail = Trail(settings, "gateway-1", says=False, now=lambda: clock)

    def note(user: str) -> None:
        event = Login(user=user, how="token", address="192.0.2.1", transport="rest")
        trail.note_first(event, Source(user=user))

    note("ann")
    clock = 899.0
    note("ann")
    clock = 901.0
    note("ann")
    for number in range(10_000):
        clock += 0.05
        note(f"user {number}")
    note("ann")
    trail.close()
    found = [json.loads(line) for line in (tmp_path / "security.log").read_text().splitlines()]
    users = [line["user"] for line in found if line["event"] == "login"]
    assert (users[:2], users[-1], len(users)) == (["ann", "ann"], "ann", 10_003)


def test_the_end_sums_up(tmp_path: Path) -> None:
    """At its end a process writes at once what it did not write, so that no event is unknown."""
    trail = trail_in(tmp_path / "security.log")
    for _ in range(1000):
        trail.note(ANN, Source("192.0.2.1"))
    trail.close()
    found = [json.loads(line) for line in (tmp_path / "security.log").read_text().splitlines()]
    assert [line["event"] for line in found] == ["login"] * 60 + ["suppressed"]
    assert (found[-1]["counts"], found[-1]["address"]) == ({"login": 940}, "192.0.2.1")


def test_a_command_says_nothing(tmp_path: Path) -> None:
    """The event of a command is in the file alone; where there is none, it is a line of the log."""
    event = OperatorAction(action="adopt", by="root")
    with capture_logs() as said:
        Trail(load(Settings, {"SECURITY_LOG": str(tmp_path / "a")}), "persister", says=False).note(
            event
        )
        assert said == []
        Trail(load(Settings, {}), "persister", says=False).note(event)
    assert [line["event"] for line in said] == ["security: operator_action action=adopt by=root"]
    assert json.loads((tmp_path / "a").read_text())["by"] == "root"
