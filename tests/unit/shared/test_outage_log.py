"""Lines about what is away."""

import pytest
from structlog.testing import capture_logs

from shared import telemetry
from shared.telemetry import OutageLog, logger


def test_an_outage_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning, each minute of it and its end are told, for each reason, and no single try."""
    now = [1000.0]
    monkeypatch.setattr(telemetry, "monotonic", lambda: now[0])
    with capture_logs() as lines:
        outage = OutageLog(logger("test_outage_log"), "SQL is away", "SQL is back")
        outage.succeeded()
        for _ in range(700):
            outage.failed(OSError("no cable\nand more"))
            outage.failed(TimeoutError())
            now[0] += 0.1
        assert outage.reason == "TimeoutError"
        outage.succeeded()
        outage.succeeded()
        assert outage.reason == ""
        outage.failed(OSError("no cable"))
    assert [(line["event"], line.get("error"), round(line["seconds"])) for line in lines] == [
        ("SQL is away", "no cable", 0),
        ("SQL is away", "TimeoutError", 0),
        ("SQL is away", "no cable", 60),
        ("SQL is away", "TimeoutError", 60),
        ("SQL is back", None, 70),
        ("SQL is away", "no cable", 0),
    ]
