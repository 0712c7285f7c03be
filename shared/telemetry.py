"""Structured logs: one line an event, as text for people or as JSON for machines."""

import logging
import sys

import structlog

from shared.config import Settings

Logger = structlog.stdlib.BoundLogger


def configure(settings: Settings, name: str) -> None:
    """Send every log line of this process to standard error.

    Args:
        settings: `LOG_FORMAT` chooses text or JSON, `LOG_LEVEL` the least level shown.
        name: the process, a field of each JSON line.
    """
    as_json = settings.log_format == "json"
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
            # Not the one with the values of variables: they are what people wrote.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if as_json else []),
                render,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel("WARNING")
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> Logger:
    """The logger of a module; fields go in as keyword arguments."""
    found: Logger = structlog.stdlib.get_logger(name)
    return found
