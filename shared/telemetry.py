"""Structured logs: one line for each event, as text or as JSON."""

import logging
import sys
from time import monotonic
from typing import Final

import structlog

from shared.config import Settings

OWN_PACKAGES: Final = ("gateway", "persister", "shared")
"""Packages whose log lines LOG_LEVEL selects."""

SECURITY: Final = "security"
"""The logger of security events (`shared/trail`), which LOG_LEVEL does not hide."""

OUTAGE_INTERVAL_SECONDS: Final = 60.0
"""Seconds between two lines about an outage that lasts."""

Logger = structlog.stdlib.BoundLogger


def configure(settings: Settings, name: str) -> None:
    """Send every log line of this process to standard error.

    Args:
        settings: `LOG_FORMAT` chooses text or JSON, `LOG_LEVEL` the lowest level shown.
        name: the process's name, a field of each JSON line.
    """
    as_json = settings.log_format == "json"
    # One line for each event, also if a user's text has line ends. JSON escapes them anyway.
    steps: list[structlog.typing.Processor] = [structlog.processors.format_exc_info]
    if not as_json:
        steps.append(_in_one_line)
    shared_steps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        shared_steps.append(lambda _logger, _method, event: {"process": name, **event})
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=0,
            pad_level=False,
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *steps,
                render,
            ],
        )
    )
    # From libraries only warnings and errors: at lower levels some log all data that they handle.
    level: int = getattr(logging, settings.log_level.upper())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    for package in OWN_PACKAGES:
        logging.getLogger(package).setLevel(level)
    logging.getLogger(SECURITY).setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def escaped(text: str) -> str:
    """Replace control characters and line ends by escapes, for terminals and line readers."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _in_one_line(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if trace := event.pop("exception", ""):
        event["traceback"] = " | ".join(line.strip() for line in trace.split("\n"))
    return {
        key: escaped(value) if isinstance(value, str) else value for key, value in event.items()
    }


def logger(name: str) -> Logger:
    """The logger of a module; fields go in as keyword arguments."""
    found: Logger = structlog.stdlib.get_logger(name)
    return found


class OutageLog:
    """Logs that something is away: when that begins, once a minute, and when it is over.

    What is away is tried again several times a second, perhaps for hours: a line for each try would
    fill the log, and the disk, whose lack of space may be the cause.

    Attributes:
        reason: the reason of the last failure in a few words; empty while there is none.
    """

    def __init__(self, log: Logger, away: str, back: str) -> None:
        """Prepare.

        Args:
            log: of the module that tries again.
            away: the line for an outage.
            back: the line for its end.
        """
        self._log = log
        self._away = away
        self._back = back
        self._began = 0.0
        self._said: dict[str, float] = {}  # by reason, as two may take turns
        self.reason = ""

    def failed(self, error: BaseException | None) -> None:
        """Note that a try failed."""
        now = monotonic()
        if not self.reason:
            self._began = now
        self.reason = str(error).split("\n", 1)[0] or type(error).__name__
        if now - self._said.get(self.reason, -OUTAGE_INTERVAL_SECONDS) >= OUTAGE_INTERVAL_SECONDS:
            self._said[self.reason] = now
            self._log.warning(self._away, error=self.reason, seconds=round(now - self._began))

    def succeeded(self) -> None:
        """Note that a try succeeded."""
        if self.reason:
            self.reason = ""
            self._said.clear()
            self._log.info(self._back, seconds=round(monotonic() - self._began, 1))
